//! Which example is in which part: `split.csv`.
//!
//! ```text
//! index,file,label,part      0,cat/1.jpg,cat,train
//! index,label,part           where examples are not files
//! index,part                 where they have no classes either
//! ```
//!
//! `index` counts the examples of the data set from 0, those of a test part that came with it from 0 again. Names and order
//! of columns are those of predictions, so that the two can be joined. File names are those within the data.

use crate::data::Dataset;
use crate::train::Splits;

/// The table.
pub(super) fn table(splits: &Splits, files: Option<&[Vec<String>; 2]>) -> Vec<u8> {
    let data = splits.data();
    let mut parts = vec![""; data.len()];
    let split = splits.split();
    for (name, indices) in [("train", &split.train), ("val", &split.val), ("test", &split.test)] {
        indices.iter().for_each(|&at| parts[at as usize] = name);
    }
    let mut head = vec!["index"];
    head.extend(files.map(|_| "file"));
    head.extend((!data.classes().is_empty()).then_some("label"));
    head.push("part");
    let mut out = csv::Writer::from_writer(Vec::new());
    // Writing to a vector cannot fail, nor can rows that are all as long as the first.
    let _ = out.write_record(&head);
    let mut rows = |data: &Dataset, files: Option<&Vec<String>>, part: &dyn Fn(usize) -> &'static str| {
        for at in 0..data.len() {
            let index = at.to_string();
            let mut row = vec![index.as_str()];
            row.extend(files.map(|files| files.get(at).map_or("", String::as_str)));
            row.extend(data.labels().get(at).map(|&label| data.classes()[label as usize].as_str()));
            row.push(part(at));
            let _ = out.write_record(&row);
        }
    };
    rows(data, files.map(|[all, _]| all), &|at| parts[at]);
    if splits.test_is_given() {
        rows(splits.test().data(), files.map(|[_, test]| test), &|_| "test");
    }
    out.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Fractions, digits};

    fn text(splits: &Splits, files: Option<&[Vec<String>; 2]>) -> String {
        String::from_utf8(table(splits, files)).unwrap()
    }

    #[test]
    fn every_example_is_in_the_split_once() {
        let splits = Splits::new(digits(), Fractions::default(), 7).unwrap();
        let text = text(&splits, None);
        let count = |part: &str| text.lines().filter(|line| line.ends_with(&format!(",{part}"))).count();
        let sizes = splits.sizes();
        assert_eq!([count("train"), count("val"), count("test")], [sizes.train, sizes.val, sizes.test]);
        assert_eq!(text.lines().count(), 1798);
        assert!(text.starts_with("index,label,part\n0,0,"), "{text}");
    }

    #[test]
    fn files_are_named() {
        let splits = Splits::new(digits(), Fractions::default(), 7).unwrap();
        let names = (0..splits.data().len()).map(|at| format!("a, b/{at}.png")).collect();
        let text = text(&splits, Some(&[names, Vec::new()]));
        assert!(text.starts_with("index,file,label,part\n0,\"a, b/0.png\",0,"), "{text}");
    }
}
