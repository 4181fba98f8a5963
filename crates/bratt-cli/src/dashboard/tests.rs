//! The picture at several sizes, as text.

use super::canvas::{Canvas, Ink};
use super::plot::{Area, Plot};
use super::*;
use bratt::model::Sizes;
use bratt::train::Score;

fn started(epochs: usize, classes: usize) -> Event {
    let text = String::new;
    Event::Started(Box::new(Started {
        version: text(),
        data: "flowers".into(),
        data_description: text(),
        fingerprint: text(),
        split: Sizes { train: 2560, val: 100, test: 100 },
        classes: (0..classes).map(|k| k.to_string()).collect(),
        model: "lenet".into(),
        layers: Vec::new(),
        parameters: 61_706,
        preprocess: text(),
        augment: text(),
        optimizer: text(),
        schedule: text(),
        balance: text(),
        monitor: text(),
        batch_size: 64,
        epochs,
        steps_per_epoch: 40,
        seed: 0,
        threads: 2,
        isa: text(),
        flops_per_step: 0,
        state_bytes: 0,
        work_bytes: 0,
    }))
}

/// A training of 40 steps an epoch that has come to step 20 of epoch `epochs + 1` of 20.
fn training(epochs: usize, classes: usize) -> Shown {
    let mut shown = Shown::default();
    let Event::Started(begin) = started(20, classes) else { unreachable!() };
    shown.started = Some(begin);
    for at in 0..epochs * 40 + 20 {
        let (epoch, step) = (at / 40 + 1, at % 40 + 1);
        let loss = 2.3 * (-(at as f64) / 60.0).exp() + 0.1;
        let (steps, learning_rate, examples_per_second) = (40, 1e-3, 12_345.0);
        shown.step(&Event::Step { epoch, step, steps, loss, learning_rate, examples_per_second });
        if step == 40 {
            let share = 1.0 - 0.8 * (-(epoch as f64) / 3.0).exp();
            let validation = Score {
                loss: loss + 0.05,
                accuracy: (classes > 0).then_some(share),
                macro_f1: (classes > 0).then_some(share),
                balanced_accuracy: (classes > 0).then_some(share),
            };
            shown.epochs.push(EpochEnd {
                epoch,
                train_loss: loss,
                validation: Some(validation),
                best: true,
                learning_rate,
                seconds: 1.25,
                step_sizes: Vec::new(),
            });
        }
    }
    shown.elapsed = Duration::from_secs(17);
    shown
}

#[test]
fn the_usual_terminal() {
    let text = layout::draw(&training(6, 5), 80, 24).to_text();
    assert_eq!(text, include_str!("tests/80x24.txt"), "\n{text}");
}

#[test]
fn a_narrow_terminal_shows_the_loss_alone() {
    let text = layout::draw(&training(6, 5), 60, 16).to_text();
    assert_eq!(text, include_str!("tests/60x16.txt"), "\n{text}");
}

#[test]
fn no_size_and_no_state_breaks_it() {
    let empty = Shown::default();
    for shown in [&empty, &training(0, 5), &training(3, 0), &training(30, 5)] {
        for width in 0..130 {
            for height in [0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 20, 24, 50] {
                let canvas = layout::draw(shown, width, height);
                let text = canvas.to_text();
                assert!(text.lines().count() <= height);
                assert!(text.lines().all(|line| line.chars().count() <= width));
            }
        }
    }
}

#[test]
fn numbers_of_regression_have_no_accuracy() {
    let text = layout::draw(&training(3, 0), 100, 24).to_text();
    assert!(text.contains("loss") && !text.contains("accuracy in %"), "{text}");
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let canvas = layout::draw(&training(6, 5), 80, 24);
    let (plain, colored) = (canvas.to_screen(false), canvas.to_screen(true));
    let commands = |screen: &str| -> Vec<char> {
        let ends =
            screen.split("\x1b[").skip(1).filter_map(|rest| rest.chars().find(char::is_ascii_alphabetic));
        ends.collect()
    };
    assert!(commands(&plain).iter().all(|end| matches!(end, 'H' | 'K')), "{plain:?}");
    assert!(commands(&colored).contains(&'m'));
    // Both stay on their lines: each line is placed and its rest erased.
    for screen in [&plain, &colored] {
        assert!(!screen.contains('\n'));
        assert_eq!(screen.matches("\x1b[K").count(), 24);
    }
}

#[test]
fn a_straight_line_is_drawn_without_gaps() {
    let line: Vec<(f64, f64)> = (0..=10).map(|x| (f64::from(x), f64::from(x))).collect();
    let plot =
        Plot { title: "y", line: &line, points: &[], range: (0.0, 10.0), label: |y| format!("{y:.0}") };
    let mut canvas = Canvas::new(18, 8);
    plot.draw(&mut canvas, Area { row: 0, column: 0, width: 18, height: 8 });
    let text = canvas.to_text();
    assert_eq!(text, include_str!("tests/line.txt"), "\n{text}");
}

#[test]
fn the_time_left_counts_from_where_this_part_began() {
    let mut shown = training(6, 5);
    // 6.5 of 20 epochs in 17 seconds.
    assert_eq!(shown.left().unwrap().as_secs(), 35);
    shown.begun_at = Some(6.0);
    assert_eq!(shown.left().unwrap().as_secs(), 459);
}

#[test]
fn what_is_wide_or_commands_the_terminal_becomes_a_question_mark() {
    let mut canvas = Canvas::new(10, 1);
    canvas.text(0, 0, Ink::Plain, "é\x1b[2J花🌸");
    assert_eq!(canvas.to_text(), "é?[2J??\n");
}
