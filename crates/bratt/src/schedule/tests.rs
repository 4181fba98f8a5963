//! Schedules against their formulas and the laws that are claimed for them.

use super::*;

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{found} is not {expected}");
}

fn values(schedule: &Schedule, steps: u64) -> Vec<f64> {
    (0..=steps).map(|k| schedule.at(k)).collect()
}

fn all() -> Vec<Schedule> {
    vec![
        Schedule::constant(0.1),
        Schedule::linear(0.1, 0.001, 100),
        Schedule::Step { rate: 0.1, factor: 0.5, every: 30 },
        Schedule::Exponential { rate: 0.1, factor: 0.5, every: 30 },
        Schedule::cosine(0.1, 0.001, 100),
        Schedule::one_cycle(0.1, 100),
        Schedule::linear(0.1, 0.001, 90).warmed_up(10),
        Schedule::Sutskever { max: 0.99 },
    ]
}

#[test]
fn ends_are_exact_and_hold_afterwards() {
    for schedule in [Schedule::linear(0.1, 0.001, 77), Schedule::cosine(0.1, 0.001, 77)] {
        assert_eq!(schedule.at(0), 0.1, "{schedule}");
        for after in [77, 78, 1_000_000, u64::MAX] {
            assert_eq!(schedule.at(after), 0.001, "{schedule}");
        }
    }
}

#[test]
fn the_lectures_linear_decay() {
    let (start, end, tau) = (0.1, 0.001, 200);
    let schedule = Schedule::linear(start, end, tau);
    for k in [0, 1, 50, 199, 200] {
        let a = k as f64 / tau as f64;
        close(schedule.at(k), (1.0 - a) * start + a * end);
    }
}

#[test]
fn decays_never_rise_and_momenta_never_fall() {
    for schedule in [
        Schedule::linear(0.1, 0.001, 100),
        Schedule::Step { rate: 0.1, factor: 0.5, every: 30 },
        Schedule::Exponential { rate: 0.1, factor: 0.5, every: 30 },
        Schedule::cosine(0.1, 0.001, 100),
    ] {
        assert!(values(&schedule, 150).windows(2).all(|w| w[1] <= w[0]), "{schedule}");
    }
    for schedule in [Schedule::growing_momentum(100), Schedule::Sutskever { max: 0.99 }] {
        let grown = values(&schedule, 20_000);
        assert!(grown.windows(2).all(|w| w[1] >= w[0]), "{schedule}");
        assert_eq!((grown[0], grown[20_000]), (0.5, 0.99), "{schedule}");
    }
}

#[test]
fn smooth_schedules_have_no_jumps() {
    for schedule in all() {
        if matches!(schedule, Schedule::Step { .. } | Schedule::Sutskever { .. }) {
            continue;
        }
        // Over 100 steps no move is larger than the steepest slope that the formulas allow.
        let jump = values(&schedule, 150).windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
        assert!(jump <= 0.0101, "{schedule}: {jump}");
    }
}

#[test]
fn step_and_exponential_agree_at_the_multiples() {
    let step = Schedule::Step { rate: 0.4, factor: 0.5, every: 10 };
    let smooth = Schedule::Exponential { rate: 0.4, factor: 0.5, every: 10 };
    for (k, expected) in [(0, 0.4), (10, 0.2), (20, 0.1), (30, 0.05)] {
        close(step.at(k), expected);
        close(smooth.at(k), expected);
        close(step.at(k + 9), expected);
    }
}

#[test]
fn cosine_is_halfway_in_the_middle() {
    close(Schedule::cosine(0.3, 0.1, 10).at(5), 0.2);
}

#[test]
fn one_cycle_rises_to_its_peak_and_ends_near_zero() {
    let cycle = Schedule::one_cycle(0.5, 1000);
    close(cycle.at(0), 0.02);
    assert_eq!(cycle.at(300), 0.5);
    close(cycle.at(1000), 0.02 / 1e4);
    assert!(values(&cycle, 300).windows(2).all(|w| w[1] >= w[0]));
    assert!(values(&cycle, 2000)[300..].windows(2).all(|w| w[1] <= w[0]));
}

#[test]
fn warm_up_meets_its_schedule() {
    let schedule = Schedule::cosine(0.1, 0.0, 50).warmed_up(10);
    assert_eq!(schedule.at(0), 0.0);
    close(schedule.at(5), 0.05);
    assert_eq!(schedule.at(10), 0.1);
    close(schedule.at(35), 0.05);
    assert_eq!(schedule.at(60), 0.0);
}

#[test]
fn sutskevers_momentum_follows_its_formula() {
    // 1 - 1 / (2 (floor(t / 250) + 1)), the same without logarithms.
    let schedule = Schedule::Sutskever { max: 0.9 };
    for (t, expected) in [(0, 0.5), (249, 0.5), (250, 0.75), (500, 1.0 - 1.0 / 6.0), (1250, 0.9)] {
        close(schedule.at(t), expected);
    }
}

#[test]
fn configuration_and_back() {
    for schedule in all() {
        let text = serde_json::to_string(&schedule).expect("schedules are plain data");
        assert_eq!(serde_json::from_str::<Schedule>(&text).expect(&text), schedule);
    }
    let unknown = serde_json::from_str::<Schedule>(r#"{"type":"linear","from":1,"to":0,"step":3}"#);
    assert!(unknown.is_err_and(|e| e.to_string().contains("step")));
}

#[test]
fn wrong_settings_are_named() {
    let error = Schedule::linear(-0.1, 0.0, 10).warmed_up(5).check();
    assert_eq!(
        error.map_err(|e| e.to_string()),
        Err("schedule linear: found from = -0.1, expected a finite number of at least 0".into())
    );
    assert!(all().iter().all(|s| s.check().is_ok()));
    assert!(Schedule::linear(0.1, 0.0, 0).check().is_err());
    assert!(Schedule::constant(f64::NAN).check().is_err());
}

#[test]
fn plots_and_lines_for_people() {
    let plot = Schedule::linear(1e-3, 0.0, 4).plot(4, 5, 5);
    let expected =
        ["1e-3 |*", "     | *", "     |  *", "     |   *", "   0 |    *", "     +-----", "      0   4", ""]
            .join("\n");
    assert_eq!(plot, expected);
    assert_eq!(
        Schedule::linear(1.8e-3, 1e-5, 2000).warmed_up(100).to_string(),
        "warm-up from 0 over 100 steps, then linear from 1.8e-3 to 1e-5 over 2000 steps"
    );
}
