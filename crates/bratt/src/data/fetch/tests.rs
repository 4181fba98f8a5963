use super::*;
use std::fs;

#[test]
fn the_catalogue_is_complete() {
    for known in KNOWN {
        assert!(!known.files.is_empty() && Known::by_name(known.name).is_some());
        for file in known.files {
            assert!(
                file.sha256.len() == 64 && file.sha256.bytes().all(|b| b.is_ascii_hexdigit()),
                "{file:?}"
            );
            assert!(file.urls.iter().all(|url| url.ends_with(file.name)), "{file:?}");
        }
    }
    assert!(Known::by_name("mnits").is_none());
}

#[test]
fn a_file_of_another_content_is_not_taken_for_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let mnist = Known::by_name("mnist").unwrap();
    for file in mnist.files {
        fs::write(folder.path().join(file.name), "abc").unwrap();
    }
    let error = mnist.fetch(folder.path(), &mut |_| {}).unwrap_err().to_string();
    // The sum of "abc": FIPS 180-2, appendix B.1.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(error.contains("train-images-idx3-ubyte.gz: this is not the file of https://"), "{error}");
    assert!(error.contains(abc), "{error}");
}

#[cfg(not(feature = "fetch"))]
#[test]
fn without_a_network_it_says_what_to_put_where() {
    let folder = tempfile::tempdir().unwrap();
    let error = Known::by_name("cifar10").unwrap().fetch(folder.path(), &mut |_| {}).unwrap_err().to_string();
    assert!(
        error.contains("--features fetch") && error.contains("cifar-10-binary.tar.gz, unpacked"),
        "{error}"
    );
}

#[cfg(feature = "fetch")]
mod network {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};
    use std::thread;

    /// How a server treats a request.
    #[derive(Clone, Copy)]
    enum Way {
        /// As asked for, with ranges.
        Good,
        /// All that is asked for is announced, but only so many bytes come.
        Cut(usize),
        /// Ranges are not known.
        NoRange,
        /// There is no such file.
        NotFound,
    }

    /// A server of one file, which treats each request in another way; the last way goes for all that follow. Its
    /// address, and the ranges that were asked for.
    fn server(content: Vec<u8>, ways: Vec<Way>) -> (&'static str, Arc<Mutex<Vec<Option<String>>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut range = None;
                for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                    let line = line.unwrap();
                    if line.is_empty() {
                        break;
                    }
                    if let Some(value) = line.to_lowercase().strip_prefix("range: bytes=") {
                        range = Some(value.trim_end_matches('-').to_string());
                    }
                }
                log.lock().unwrap().push(range.clone());
                let way = ways[at.min(ways.len() - 1)];
                let from = range.and_then(|range| range.parse::<usize>().ok());
                let (status, begin) = match (way, from) {
                    (Way::NotFound, _) => ("404 Not Found", content.len()),
                    (Way::Good | Way::Cut(_), Some(from)) if from >= content.len() => {
                        ("416 Range Not Satisfiable", content.len())
                    }
                    (Way::Good | Way::Cut(_), Some(from)) => ("206 Partial Content", from),
                    _ => ("200 OK", 0),
                };
                let body = &content[begin..];
                let whole = content.len();
                let mut head =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
                if status.starts_with("206") {
                    head += &format!("Content-Range: bytes {begin}-{}/{whole}\r\n", whole - 1);
                }
                let sent = match way {
                    Way::Cut(n) => &body[..n.min(body.len())],
                    _ => body,
                };
                let _ = stream.write_all(format!("{head}\r\n").as_bytes());
                let _ = stream.write_all(sent);
            }
        });
        (String::leak(url), asked)
    }

    fn sum(bytes: &[u8]) -> &'static str {
        let mut hash = Sha256::new();
        hash.update(bytes);
        String::leak(hex(hash))
    }

    fn known(urls: Vec<&'static str>, sha256: &'static str, members: &'static [&'static str]) -> Known {
        let file = Remote { name: "data.bin", urls: Vec::leak(urls), sha256, members };
        Known { name: "test", about: "", files: Vec::leak(vec![file]), installed: &[] }
    }

    fn content() -> Vec<u8> {
        (0..300_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_arrives_whole_and_is_not_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a/b");
        let (url, asked) = server(content(), vec![Way::Good]);
        let known = known(vec![url], sum(&content()), &[]);
        let mut seen = Vec::new();
        assert!(known.fetch(&to, &mut |p| seen.push((p.done, p.all))).unwrap());
        assert_eq!(seen.last(), Some(&(300_000, Some(300_000))));
        assert_eq!(
            (fs::read(to.join("data.bin")).unwrap(), names(&to)),
            (content(), vec!["data.bin".into()])
        );
        assert!(!known.fetch(&to, &mut |_| {}).unwrap());
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_broke_off_goes_on_where_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (url, asked) = server(content(), vec![Way::Cut(100_000), Way::Cut(50_000), Way::Good]);
        known(vec![url], sum(&content()), &[]).fetch(folder.path(), &mut |_| {}).unwrap();
        assert_eq!(fs::read(folder.path().join("data.bin")).unwrap(), content());
        assert_eq!(*asked.lock().unwrap(), [None, Some("100000".into()), Some("150000".into())]);
    }

    #[test]
    fn a_later_run_goes_on_too() {
        let folder = tempfile::tempdir().unwrap();
        let (url, _) = server(content(), vec![Way::Cut(100_000), Way::Cut(0)]);
        let error = known(vec![url], sum(&content()), &[]).fetch(folder.path(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("broke off after 100000 bytes"), "{error}");
        assert_eq!(names(folder.path()), [".data.bin.part"]);
        let (url, asked) = server(content(), vec![Way::Good]);
        known(vec![url], sum(&content()), &[]).fetch(folder.path(), &mut |_| {}).unwrap();
        assert_eq!(fs::read(folder.path().join("data.bin")).unwrap(), content());
        assert_eq!(*asked.lock().unwrap(), [Some("100000".into())]);
    }

    #[test]
    fn a_wrong_beginning_or_a_server_without_ranges_means_the_whole_file() {
        for way in [Way::Good, Way::NoRange] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(".data.bin.part"), vec![1; 1000]).unwrap();
            let (url, _) = server(content(), vec![way]);
            known(vec![url], sum(&content()), &[]).fetch(folder.path(), &mut |_| {}).unwrap();
            assert_eq!(fs::read(folder.path().join("data.bin")).unwrap(), content());
        }
    }

    #[test]
    fn a_wrong_file_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (url, _) = server(b"<html>please log in</html>".to_vec(), vec![Way::Good]);
        let error = known(vec![url], sum(&content()), &[]).fetch(folder.path(), &mut |_| {}).unwrap_err();
        assert!(matches!(error, FetchError::WrongSum { .. }), "{error}");
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn another_server_is_asked_where_one_does_not_have_it() {
        let folder = tempfile::tempdir().unwrap();
        let (none, _) = server(content(), vec![Way::NotFound]);
        let error = known(vec![none], sum(&content()), &[]).fetch(folder.path(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("the server answers with status 404"), "{error}");
        let (url, _) = server(content(), vec![Way::Good]);
        known(vec![none, url], sum(&content()), &[]).fetch(folder.path(), &mut |_| {}).unwrap();
        assert_eq!(names(folder.path()), ["data.bin"]);
    }

    #[test]
    fn of_an_archive_the_named_members_are_kept() {
        let mut tar =
            tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (name, bytes) in [("d/a.bin", "one"), ("d/b.bin", "two"), ("readme", "three")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, name, bytes.as_bytes()).unwrap();
        }
        let archive = tar.into_inner().unwrap().finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (url, _) = server(archive.clone(), vec![Way::Good]);
        let good = known(vec![url], sum(&archive), &["d/a.bin", "d/b.bin"]);
        assert!(good.fetch(folder.path(), &mut |_| {}).unwrap());
        assert_eq!(
            (names(folder.path()), names(&folder.path().join("d"))),
            (vec!["d".into()], vec!["a.bin".into(), "b.bin".into()])
        );
        assert_eq!(fs::read(folder.path().join("d/b.bin")).unwrap(), b"two");
        assert!(!good.fetch(folder.path(), &mut |_| {}).unwrap());
        let other = known(vec![url], sum(&archive), &["d/c.bin"]);
        let error = other.fetch(folder.path(), &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("it does not hold d/c.bin"), "{error}");
    }
}
