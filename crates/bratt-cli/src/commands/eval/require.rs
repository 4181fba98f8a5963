//! Conditions on the figures of an evaluation, such as `accuracy>=0.9`.

use crate::failure::{Exit, Failure};
use bratt::names::hint;
use bratt::train::Evaluation;
use serde_json::{Value, json};

/// A condition as it was asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Requirement {
    text: String,
    name: String,
    relation: Relation,
    bound: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    AtLeast,
    Above,
    AtMost,
    Below,
}

/// The longer ones first, so that `>=` is not read as `>`.
const RELATIONS: [(&str, Relation); 4] =
    [(">=", Relation::AtLeast), ("<=", Relation::AtMost), (">", Relation::Above), ("<", Relation::Below)];

impl Requirement {
    /// Reads `NAME>=NUMBER`, with `>`, `<=` or `<` as well; `90%` is 0.9.
    ///
    /// # Errors
    /// What is no condition, or no measure of models of this kind.
    pub fn read(text: &str, known: &[&str]) -> Result<Requirement, Failure> {
        let wrong = |what: String| Failure::new(Exit::Usage, format!("--require {text}: {what}"));
        let found = RELATIONS.iter().find_map(|&(sign, relation)| Some((text.split_once(sign)?, relation)));
        let Some(((name, bound), relation)) = found else {
            return Err(wrong("found no >=, >, <= or <".into())
                .help("a condition is a measure and a number, such as 'accuracy>=0.9'"));
        };
        let name = name.trim().to_lowercase().replace('-', "_");
        if let Some(name) = name.strip_suffix('=') {
            let name = name.trim_end();
            return Err(wrong("found `=` before the sign".into())
                .help(format!("a condition is written as '{name}>=0.9' or '{name}<=0.9'")));
        }
        if !known.contains(&name.as_str()) {
            return Err(wrong(format!("no measure is named `{name}`")).help(hint(&name, known)));
        }
        let bound = bound.trim();
        let number = match bound.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().map(|x| x / 100.0),
            None => bound.parse(),
        };
        match number {
            Ok(bound) if bound.is_finite() => {
                Ok(Requirement { text: text.trim().into(), name, relation, bound })
            }
            _ => Err(wrong(format!("found {bound:?}, expected a number"))),
        }
    }

    fn value(&self, of: &Evaluation) -> Option<f64> {
        of.figures().into_iter().find(|figure| figure.name == self.name)?.value
    }

    /// Whether it holds; a measure that is undefined for these examples meets nothing.
    pub fn holds(&self, of: &Evaluation) -> bool {
        self.value(of).is_some_and(|value| match self.relation {
            Relation::AtLeast => value >= self.bound,
            Relation::Above => value > self.bound,
            Relation::AtMost => value <= self.bound,
            Relation::Below => value < self.bound,
        })
    }

    /// What was found, as a program reads it.
    pub fn json(&self, of: &Evaluation) -> Value {
        json!({ "require": self.text, "found": self.value(of), "holds": self.holds(of) })
    }

    /// What was found, as a person reads it.
    fn found(&self, of: &Evaluation) -> String {
        match self.value(of) {
            Some(value) => format!("`{}` does not hold: {} is {value:.4}", self.text, self.name),
            None => format!("`{}` does not hold: {} is undefined for these examples", self.text, self.name),
        }
    }
}

/// The failure of the requirements that do not hold; nothing if all do.
pub fn unmet(requirements: &[Requirement], of: &Evaluation) -> Option<Failure> {
    let mut unmet: Vec<String> = requirements.iter().filter(|r| !r.holds(of)).map(|r| r.found(of)).collect();
    if unmet.is_empty() {
        return None;
    }
    let first = unmet.remove(0);
    let failure = Failure::new(Exit::Found, first);
    Some(if unmet.is_empty() { failure } else { failure.because(format!("also {}", unmet.join("; "))) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bratt::train::Measures;

    const KNOWN: &[&str] = &Evaluation::VALUE_FIGURES;

    fn evaluation() -> Evaluation {
        Evaluation { n: 4, loss: 0.5, measures: Measures::Values { mse: 1.0, r2: 0.9 } }
    }

    #[test]
    fn conditions_are_read_and_judged() {
        let holds = |text| Requirement::read(text, KNOWN).unwrap().holds(&evaluation());
        assert!(holds("r2>=0.9") && holds("r2 >= 90%") && holds("mse<=1") && holds("LOSS < 0.6"));
        assert!(!holds("r2>0.9") && !holds("mse<1.0") && !holds("loss>=50.1%"));
    }

    #[test]
    fn mistakes_are_named_with_the_nearest_spelling() {
        let fault = |text| Requirement::read(text, KNOWN).unwrap_err().text();
        assert!(fault("mze<1").contains("did you mean `mse`?"));
        assert!(fault("accuracy>=1").contains("known are `loss`, `mse`, `r2`"));
        assert!(fault("r2=0.9").contains("found no >="));
        assert!(fault("r2=>0.9").contains("'r2>=0.9'"));
        assert!(fault("r2>=much").contains("\"much\""));
    }

    #[test]
    fn what_failed_is_told_with_what_was_found() {
        let of = |texts: &[&str]| {
            let all: Vec<_> = texts.iter().map(|text| Requirement::read(text, KNOWN).unwrap()).collect();
            unmet(&all, &evaluation()).map(|failure| failure.text())
        };
        assert_eq!(of(&["r2>0.5"]), None);
        let text = of(&["r2>0.95", "mse<2", "loss<0.1"]).unwrap();
        assert!(
            text.contains("r2 is 0.9000") && text.contains("loss is 0.5") && !text.contains("mse"),
            "{text}"
        );
    }
}
