//! Numbers as people read them.

/// A minus of the width of a plus, and a narrow space that does not break.
const MINUS: &str = "\u{2212}";
const NARROW: &str = "\u{202f}";

/// `60,000` for 60000.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 epoch`, `1,000 epochs`; a noun in -s or -y as English has it.
pub(crate) fn counted(number: usize, what: &str) -> String {
    let what = match number {
        1 => what.to_string(),
        _ if what.ends_with("ss") => format!("{what}es"),
        _ => format!("{what}s"),
    };
    format!("{} {what}", thousands(number))
}

/// `512`, `1.5 k`, `0.54 M`.
pub(crate) fn magnitude(number: f64) -> String {
    match number {
        n if n < 1e3 => format!("{n:.0}"),
        n if n < 1e5 => format!("{:.1}{NARROW}k", n / 1e3),
        n if n < 1e9 => format!("{:.2}{NARROW}M", n / 1e6),
        n => format!("{:.2}{NARROW}G", n / 1e9),
    }
}

/// `97.2 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}{NARROW}%", 100.0 * share)
}

/// `93.7 to 98.8 %`.
pub(crate) fn percents([low, high]: [f64; 2]) -> String {
    format!("{:.1} to {:.1}{NARROW}%", 100.0 * low, 100.0 * high)
}

/// `0.42 s`, `12.3 s`, `2 min 05 s`, `1 h 02 min`.
pub(crate) fn seconds(time: f64) -> String {
    let whole = time.max(0.0).round() as u64;
    match time {
        t if t < 10.0 => format!("{t:.2}{NARROW}s"),
        t if t < 119.5 => format!("{t:.1}{NARROW}s"),
        t if t < 3599.5 => format!("{}{NARROW}min {:02}{NARROW}s", whole / 60, whole % 60),
        _ => format!("{}{NARROW}h {:02}{NARROW}min", whole / 3600, whole / 60 % 60),
    }
}

/// `32×32×3`.
pub(crate) fn shape(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("\u{d7}")
}

/// A number with as many digits as it needs to be told from its neighbours: `0.0312`, `2.41`, `1.8e-5`.
pub(crate) fn plain(x: f64) -> String {
    let text = match x.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e6).contains(&size) => format!("{x:.2e}"),
        size if size >= 100.0 => format!("{x:.1}"),
        size if size >= 1.0 => format!("{x:.3}"),
        _ => format!("{x:.4}"),
    };
    text.replacen('-', MINUS, usize::from(x < 0.0))
}

/// Round numbers from `low` to `high`, about `count` of them, and the step between them.
pub(crate) fn ticks(low: f64, high: f64, count: usize) -> (Vec<f64>, f64) {
    let span = high - low;
    if span <= 0.0 || !span.is_finite() || count == 0 {
        return (vec![low], 1.0);
    }
    let raw = span / count as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power >= raw * 0.999).unwrap_or(10.0) * power;
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    ((first..=last).map(|k| k as f64 * step).collect(), step)
}

/// A tick with the digits that its step asks for.
pub(crate) fn tick(x: f64, step: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    if x.abs() >= 1e5 || step < 1e-4 {
        return format!("{x:.1e}").replace(".0e", "e").replacen('-', MINUS, usize::from(x < 0.0));
    }
    let digits = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
    format!("{x:.digits$}").replacen('-', MINUS, usize::from(x < 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 1.0, 4), (vec![0.0, 0.5, 1.0], 0.5));
        assert_eq!(ticks(0.0, 2.3, 5).0, [0.0, 0.5, 1.0, 1.5, 2.0]);
        assert_eq!(ticks(1.0, 30.0, 6).0, [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]);
        assert_eq!(ticks(3.0, 3.0, 6).0, [3.0]);
        for (low, high) in [(0.013, 0.019), (-5.0, 1e7), (1e-9, 2e-9)] {
            let (all, step) = ticks(low, high, 5);
            assert!((2..=7).contains(&all.len()), "{all:?}");
            assert!(all.iter().all(|&t| t > low - step * 1e-6 && t < high + step * 1e-6), "{all:?}");
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([thousands(7), thousands(1_234_567)], ["7", "1,234,567"]);
        assert_eq!(
            [counted(1, "class"), counted(2, "class"), counted(3, "epoch")],
            ["1 class", "2 classes", "3 epochs"]
        );
        assert_eq!(
            [plain(0.03125), plain(2.4), plain(-1234.5), plain(1.8e-5)],
            ["0.0312", "2.400", "\u{2212}1234.5", "1.80e-5"]
        );
        assert_eq!([tick(0.5, 0.5), tick(20.0, 10.0), tick(2e-5, 1e-5)], ["0.5", "20", "2e-5"]);
        assert_eq!(
            [seconds(1.234), seconds(61.0), seconds(3723.0)],
            ["1.23\u{202f}s", "61.0\u{202f}s", "1\u{202f}h 02\u{202f}min"]
        );
    }
}
