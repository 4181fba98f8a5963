//! Help with names that are not known: the nearest known one.

/// The known name that is spelled nearest to what was found, if it is near: at most one change, and one more for every
/// four characters.
///
/// ```
/// use bratt::names::nearest;
/// assert_eq!(nearest("resnet-18", ["lenet", "resnet18"]), Some("resnet18"));
/// assert_eq!(nearest("zebra", ["lenet", "resnet18"]), None);
/// ```
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = known.into_iter().map(|name| (strsim::damerau_levenshtein(found, name), name));
    let (distance, name) = distances.min()?;
    (distance <= 1 + found.chars().count() / 4).then_some(name)
}

/// `did you mean ...?` where a name is near, else the names there are.
///
/// ```
/// use bratt::names::hint;
/// assert_eq!(hint("adm", &["sgd", "adam"]), "did you mean `adam`?");
/// assert_eq!(hint("zebra", &["sgd", "adam"]), "known are `sgd`, `adam`");
/// ```
pub fn hint(found: &str, known: &[&str]) -> String {
    match nearest(found, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("known are {}", known.join(", "))
        }
    }
}
