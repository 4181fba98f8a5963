//! What decides which epoch is kept, and when patience is at an end.
//!
//! An epoch is better than another if what is monitored is better on the validation part or, where it is equal, the
//! validation loss is lower: on a small part many epochs are equal in accuracy. The first of equal epochs counts. All
//! measures are those of [`crate::metrics`].

use super::Score;

/// A measure on the validation part.
///
/// ```
/// use bratt::train::Monitor;
/// assert_eq!(Monitor::by_name("macro_f1"), Some(Monitor::MacroF1));
/// assert_eq!(Monitor::default().name(), "val_loss");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Monitor {
    /// The mean loss; lower is better.
    #[default]
    ValLoss,
    /// The part of the examples that are classified rightly.
    Accuracy,
    /// The mean F1 of the classes.
    MacroF1,
    /// The mean recall of the classes.
    BalancedAccuracy,
}

impl Monitor {
    /// The names that [`Monitor::by_name`] knows.
    pub const NAMES: [&'static str; 4] = ["val_loss", "accuracy", "macro_f1", "balanced_accuracy"];

    /// A measure by its name.
    pub fn by_name(name: &str) -> Option<Monitor> {
        let all = [Monitor::ValLoss, Monitor::Accuracy, Monitor::MacroF1, Monitor::BalancedAccuracy];
        all.into_iter().zip(Monitor::NAMES).find(|(_, known)| *known == name).map(|(monitor, _)| monitor)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Monitor::NAMES[self as usize]
    }

    /// Its name for people, as in "the best validation accuracy".
    pub fn words(self) -> &'static str {
        match self {
            Monitor::ValLoss => "validation loss",
            Monitor::Accuracy => "validation accuracy",
            Monitor::MacroF1 => "validation macro-F1",
            Monitor::BalancedAccuracy => "balanced validation accuracy",
        }
    }

    /// What is best, in words: "the lowest validation loss".
    pub fn best(self) -> String {
        let which = if self == Monitor::ValLoss { "lowest" } else { "highest" };
        format!("the {which} {}", self.words())
    }

    /// Its value; none of regression's but the loss.
    pub fn of(self, score: &Score) -> Option<f64> {
        match self {
            Monitor::ValLoss => Some(score.loss),
            Monitor::Accuracy => score.accuracy,
            Monitor::MacroF1 => score.macro_f1,
            Monitor::BalancedAccuracy => score.balanced_accuracy,
        }
    }

    /// Whether `new` is better than `old`.
    pub(super) fn prefers(self, new: &Score, old: &Score) -> bool {
        let lower_loss = new.loss < old.loss;
        match (self, self.of(new), self.of(old)) {
            (Monitor::ValLoss, ..) => lower_loss,
            (_, Some(new), Some(old)) => new > old || (new == old && lower_loss),
            _ => lower_loss,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(loss: f64, share: f64) -> Score {
        Score { loss, accuracy: Some(share), macro_f1: Some(share), balanced_accuracy: Some(share) }
    }

    #[test]
    fn a_share_goes_before_the_loss_and_the_loss_decides_between_equals() {
        for monitor in [Monitor::Accuracy, Monitor::MacroF1, Monitor::BalancedAccuracy] {
            assert!(monitor.prefers(&score(0.9, 0.8), &score(0.1, 0.7)));
            assert!(!monitor.prefers(&score(0.1, 0.7), &score(0.9, 0.8)));
            assert!(monitor.prefers(&score(0.1, 0.8), &score(0.2, 0.8)));
            assert!(!monitor.prefers(&score(0.2, 0.8), &score(0.2, 0.8)), "the first of equals stays");
        }
        assert!(Monitor::ValLoss.prefers(&score(0.1, 0.7), &score(0.9, 0.8)));
    }

    #[test]
    fn names_lead_back() {
        for name in Monitor::NAMES {
            assert_eq!(Monitor::by_name(name).map(Monitor::name), Some(name));
        }
        assert_eq!(Monitor::by_name("acc"), None);
    }
}
