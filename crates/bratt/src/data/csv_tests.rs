use std::fs;

use super::*;

fn table(text: &str, options: &Options) -> Result<Table, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, text).unwrap();
    read(&path, options)
}

fn plain(text: &str) -> Dataset {
    table(text, &Options::default()).unwrap().data
}

fn fault(text: &str) -> DataError {
    table(text, &Options::default()).unwrap_err()
}

fn rows(data: &Dataset) -> Vec<f32> {
    let Features::Table { values, .. } = data.features() else { panic!("a table") };
    values.clone()
}

#[test]
fn text_labels_become_classes_in_plain_order() {
    let data = plain("length,width,species\n1.5,2,virginica\n-3,4e-1,setosa\n5,6,Iris\n7,8,setosa\n");
    assert_eq!(data.classes(), ["Iris", "setosa", "virginica"]);
    assert_eq!(data.labels(), [2, 1, 0, 1]);
    assert_eq!(rows(&data), [1.5, 2.0, -3.0, 0.4, 5.0, 6.0, 7.0, 8.0]);
    let Features::Table { columns, .. } = data.features() else { panic!("a table") };
    assert_eq!(columns, &["length", "width"]);
}

#[test]
fn numeric_labels_become_classes_in_numeric_order() {
    let data = plain("x,y\n0,10\n0,9\n0,-1\n0,9.0\n");
    assert_eq!(data.classes(), ["-1", "9", "10"]);
    assert_eq!(data.labels(), [2, 1, 0, 1]);
}

#[test]
fn without_a_header_columns_are_numbered() {
    let flowers = table("5.1,3.5,setosa\n4.9,3.0,versicolor\n", &Options::default()).unwrap();
    assert_eq!(flowers.data.len(), 2);
    assert_eq!(flowers.reason, "label column 3 (the last; choose another by name); no header");
    let by_number = Options { label: Some("1".into()), ..Options::default() };
    let by_number = table("7,1\n8,2\n", &by_number);
    assert_eq!(by_number.unwrap().data.classes(), ["7", "8"]);
}

#[test]
fn the_label_column_is_found_by_name_or_asked_for() {
    let text = "Class,a,b\n1,2,3\n2,4,5\n";
    let found = table(text, &Options::default()).unwrap();
    assert_eq!(found.reason, "label column Class (by its name); line 1 is the header");
    assert_eq!(rows(&found.data), [2.0, 3.0, 4.0, 5.0]);
    let asked = table(text, &Options { label: Some("a".into()), ..Options::default() }).unwrap();
    assert_eq!(asked.data.classes(), ["2", "4"]);
    let absent = table(text, &Options { label: Some("c".into()), ..Options::default() }).unwrap_err();
    assert!(absent.to_string().ends_with("no column \"c\"; the columns are Class, a, b"), "{absent}");
}

#[test]
fn a_numeric_target_is_read_for_regression() {
    let data = table("area,price\n10,1.5\n20,2.5\n", &Options { regression: true, ..Options::default() });
    let data = data.unwrap().data;
    assert_eq!(data.targets(), &Targets::Values { values: vec![1.5, 2.5], name: "price".into() });
    let error =
        table("area,price\n10,cheap\n", &Options { regression: true, ..Options::default() }).unwrap_err();
    assert!(matches!(error, DataError::NotANumber { line: 2, .. }));
}

#[test]
fn known_classes_keep_their_order_and_strangers_are_refused() {
    let known = Options { classes: Some(vec!["b".into(), "a".into(), "2".into()]), ..Options::default() };
    let data = table("x,label\n1,a\n2,b\n3,2.0\n", &known).unwrap().data;
    assert_eq!((data.labels(), data.classes().len()), (&[1, 0, 2][..], 3));
    assert_eq!(table("x,label\n1,a\n", &known).unwrap().data.len(), 1, "one class is enough here");
    let error = table("x,label\n1,a\n2,c\n", &known).unwrap_err();
    assert!(
        error.to_string().ends_with("line 3, column label: \"c\" is not a class; the classes are b, a, 2")
    );
}

#[test]
fn spaces_quotes_semicolons_tabs_and_marks_are_understood() {
    let expected = rows(&plain("a,b,label\n1,2,u\n3,4,v\n"));
    for text in [
        "a, b , label\r\n 1,2, u\r\n3 ,4,v",
        "\"a\",\"b\",\"label\"\n\"1\",2,\"u\"\n3,4,v\n",
        "a;b;label\n1;2;u\n3;4;v\n",
        "a\tb\tlabel\n1\t2\tu\n\n3\t4\tv\n",
        "\u{feff}a,b,label\n1,2,u\n3,4,v\n",
    ] {
        let data = plain(text);
        assert_eq!(
            (rows(&data), data.classes()),
            (expected.clone(), &["u".to_owned(), "v".to_owned()][..]),
            "{text:?}"
        );
        let Features::Table { columns, .. } = data.features() else { panic!("a table") };
        assert_eq!(columns, &["a", "b"], "{text:?}");
    }
}

#[test]
fn ragged_rows_are_named_by_line() {
    let error = fault("a,b,label\n1,2,u\n\n1,v\n");
    assert!(matches!(error, DataError::RaggedRow { line: 4, expected: 3, found: 2, .. }), "{error:?}");
    for start in ["a,label\r\n1,u\r\n", "\u{feff}a,label\n1,u\n", "a,label\n\r\n", "\n\na,label\n"] {
        let error = fault(&format!("{start}2"));
        let line = 1 + start.matches('\n').count() as u64;
        assert!(
            matches!(error, DataError::RaggedRow { line: found, .. } if found == line),
            "{start:?} {error:?}"
        );
    }
    let error = fault("a,label\n\"1\n\",u\n2");
    assert!(matches!(error, DataError::RaggedRow { line: 4, .. }), "a cell of two lines: {error:?}");
    assert!(matches!(fault("a,b\n1,u,9\n"), DataError::RaggedRow { line: 2, expected: 2, found: 3, .. }));
}

#[test]
fn numbers_that_are_not_finite_are_named() {
    for cell in ["NaN", "inf", "-Infinity", "1e39"] {
        let error = fault(&format!("a,b,label\n1,2,u\n1,{cell},v\n"));
        let DataError::NotFinite { line: 3, column, cell: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!((column.as_str(), found.as_str()), ("b", cell));
    }
}

#[test]
fn cells_that_are_not_numbers_are_named() {
    for cell in ["red", "", "1,5", "0x10"] {
        let error = fault(&format!("a,b,label\n1,2,u\n1,\"{cell}\",v\n"));
        let DataError::NotANumber { line: 3, column, cell: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!((column.as_str(), found.as_str()), ("b", cell));
    }
    let message = fault("a,b,label\n1,red,u\n").to_string();
    assert!(message.contains("line 2, column b: \"red\" is not a number"), "{message}");
}

#[test]
fn empty_files_and_lone_headers_are_refused() {
    for text in ["", "\n\n"] {
        assert!(matches!(fault(text), DataError::Empty { found: "the file is empty", .. }), "{text:?}");
    }
    assert!(fault("a,b,label\n").to_string().contains("there is a header, but no row below it"));
}

#[test]
fn one_class_only_is_refused() {
    let error = fault("a,label\n1,u\n2,u\n");
    assert!(error.to_string().contains("column label: every row is of class \"u\""), "{error}");
}

#[test]
fn missing_labels_and_missing_features_are_refused() {
    assert!(matches!(fault("a,label\n1,u\n2,\n"), DataError::NoLabel { line: 3, .. }));
    assert!(matches!(fault("label\nu\nv\n"), DataError::NoFeatures { .. }));
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, b"a,label\n1,\xff\xfe\n").unwrap();
    assert!(matches!(read(&path, &Options::default()), Err(DataError::Csv { .. })));
}
