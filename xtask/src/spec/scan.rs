//! Owns finding citations in Rust sources, and telling those of code from those of tests. It does not know which
//! statements exist.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::Error;

/// One mention of a statement's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Citation {
    /// As written, even if there is no such statement.
    pub(crate) id: String,
    pub(crate) side: Side,
    /// Relative to the workspace.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
}

/// What a citation claims: that this code keeps the statement, or that this test proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Code,
    Test,
}

/// All citations in the Rust files below the workspace's folders of sources, in a repeatable order.
pub(crate) fn tree(root: &Path) -> Result<Vec<Citation>, Error> {
    let mut citations = Vec::new();
    for folder in FOLDERS {
        if root.join(folder).is_dir() {
            scan_folder(root, folder, &mut citations)?;
        }
    }
    Ok(citations)
}

fn scan_folder(root: &Path, folder: &str, citations: &mut Vec<Citation>) -> Result<(), Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let entries = fs::read_dir(root.join(folder)).map_err(failed)?;
    let mut entries = entries.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            if name != "target" && !name.starts_with('.') {
                scan_folder(root, &path, citations)?;
            }
        } else if name.ends_with(".rs") {
            let source = fs::read_to_string(entry.path());
            let source = source.map_err(|source| Error::Read { path: path.clone(), source })?;
            citations.extend(scan_source(&path, &source));
        }
    }
    Ok(())
}

fn scan_source(path: &str, source: &str) -> Vec<Citation> {
    let lines: Vec<&str> = source.lines().collect();
    let sides = if is_test_file(path) { vec![Side::Test; lines.len()] } else { sides(&lines) };
    let mut citations = Vec::new();
    for (index, (line, side)) in lines.iter().zip(sides).enumerate() {
        let found = ids(line).into_iter();
        citations.extend(found.map(|id| Citation { id, side, file: path.to_owned(), line: index + 1 }));
    }
    citations
}

/// Whether nothing in the file is part of the product: by a folder `tests` or `fuzz`, or by the name `...tests.rs`.
fn is_test_file(path: &str) -> bool {
    path.ends_with("tests.rs") || path.split('/').any(|part| part == "tests" || part == "fuzz")
}

/// The side of each line of a file that holds code: tests are what follows `#[cfg(test)]`, as they stand at the
/// bottom here, and single test functions with the comments above them.
fn sides(lines: &[&str]) -> Vec<Side> {
    let mut sides = vec![Side::Code; lines.len()];
    for (index, line) in lines.iter().enumerate() {
        let attribute = line.trim_start();
        if attribute.starts_with("#[cfg(test)]") {
            // `mod tests;` and `use` are no more than their own line.
            let has_body = lines.get(index + 1).is_some_and(|next| !next.trim_end().ends_with(';'));
            if has_body {
                sides[index..].fill(Side::Test);
                break;
            }
        } else if attribute.starts_with("#[test]") || attribute.starts_with("#[tokio::test") {
            sides[above(lines, index)..=below(lines, index)].fill(Side::Test);
        }
    }
    sides
}

/// The first of the comments and attributes right above a line.
fn above(lines: &[&str], index: usize) -> usize {
    let is_attached = |line: &&&str| ["//", "#["].iter().any(|start| line.trim_start().starts_with(start));
    index - lines[..index].iter().rev().take_while(is_attached).count()
}

/// The line that closes the function whose attribute stands at `index`: the next lone brace at the same depth.
fn below(lines: &[&str], index: usize) -> usize {
    let depth = lines[index].len() - lines[index].trim_start().len();
    let closes = |line: &&str| line.trim() == "}" && line.len() - line.trim_start().len() == depth;
    lines[index..].iter().position(closes).map_or(lines.len() - 1, |distance| index + distance)
}

/// Everything in a line that looks like an id: `MQTT`, perhaps a version, a hyphen, then digits, dots and hyphens of
/// which at least one is a dot. What is no id of a statement (`MQTT-3.1.2-24` lacks its version) is for the caller
/// to refuse.
fn ids(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find("MQTT") {
        let candidate = &rest[start..];
        let version_end = length_while(candidate, |it| it.is_ascii_alphanumeric());
        rest = &candidate[version_end..];
        let Some(behind) = rest.strip_prefix('-') else { continue };
        if !behind.starts_with(|it: char| it.is_ascii_digit()) {
            continue;
        }
        let length = length_while(behind, |it| it.is_ascii_digit() || it == '.' || it == '-');
        // The end of a sentence is not part of the id.
        let numbers = behind[..length].trim_end_matches(['.', '-']);
        if numbers.contains('.') {
            found.push(format!("{}-{numbers}", &candidate[..version_end]));
        }
        rest = &behind[length..];
    }
    found
}

fn length_while(text: &str, mut belongs: impl FnMut(char) -> bool) -> usize {
    text.find(|it| !belongs(it)).unwrap_or(text.len())
}

/// Benchmarks prove nothing, and this very package speaks of ids that do not exist.
const FOLDERS: [&str; 3] = ["crates", "fuzz", "tests"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_however_they_are_written() {
        let check = |line: &str, expected: &[&str]| assert_eq!(ids(line), expected, "{line}");
        check("// [MQTT5-3.1.2-24]", &["MQTT5-3.1.2-24"]);
        check("/// `[MQTT5-3.1.2-24]` [MQTT311-3.10.4-1].", &["MQTT5-3.1.2-24", "MQTT311-3.10.4-1"]);
        check("[MQTT5-3.1.2-24][MQTT5-3.1.2-25]", &["MQTT5-3.1.2-24", "MQTT5-3.1.2-25"]);
        check("A: B, \"MQTT5-2.1.3-1\", \"MQTT311-2.2.2-2\", \"\";", &["MQTT5-2.1.3-1", "MQTT311-2.2.2-2"]);
        check("as MQTT5-4.2-1 says, and MQTT5-4.7.3-1.", &["MQTT5-4.2-1", "MQTT5-4.7.3-1"]);
    }

    #[test]
    fn what_looks_like_an_id_is_found_to_be_refused() {
        let check = |line: &str, expected: &[&str]| assert_eq!(ids(line), expected, "{line}");
        check("[MQTT-3.1.2-24]", &["MQTT-3.1.2-24"]);
        check("[MQTT31-3.1.2-24]", &["MQTT31-3.1.2-24"]);
        check("[MQTT5-3.1.2.24]", &["MQTT5-3.1.2.24"]);
        check("[MQTT5-3.1.2]", &["MQTT5-3.1.2"]);
    }

    #[test]
    fn other_words_are_no_ids() {
        for line in
            ["MQTT 3.1.1", "MQTT-SN", "MQTT5-{section}", "\"MQTT5-\"", "MQTT_5-1.2-3", "MQTT-5", "MQTT"]
        {
            assert_eq!(ids(line), [""; 0], "{line}");
        }
    }

    #[test]
    fn a_file_of_tests_is_known_by_its_path() {
        let check = |path: &str, expected| assert_eq!(is_test_file(path), expected, "{path}");
        check("crates/x/src/shard.rs", false);
        check("crates/x/src/testing.rs", false);
        check("crates/x/src/shard/tests.rs", true);
        check("crates/x/src/shard/tests/will.rs", true);
        check("crates/x/src/slow_tests.rs", true);
        check("crates/x/tests/end_to_end.rs", true);
        check("tests/src/wire.rs", true);
        check("fuzz/fuzz_targets/decode.rs", true);
    }

    /// Each line of the source carries a citation; the expected text has one letter per line.
    #[track_caller]
    fn check_sides(source: &[&str], expected: &str) {
        let letters: String = sides(source)
            .into_iter()
            .map(|side| match side {
                Side::Code => 'c',
                Side::Test => 't',
            })
            .collect();
        assert_eq!(letters, expected);
    }

    #[test]
    fn tests_begin_at_their_module() {
        check_sides(
            &["//! x", "fn f() {}", "", "#[cfg(test)]", "mod tests {", "    use super::*;", "}"],
            "ccctttt",
        );
    }

    #[test]
    fn a_test_module_in_another_file_leaves_the_rest_code() {
        check_sides(&["#[cfg(test)]", "mod tests;", "fn f() {}"], "ccc");
        check_sides(&["#[cfg(test)]", "extern crate std;", "#[cfg(test)]", "mod tests {", "}"], "ccttt");
    }

    #[test]
    fn a_test_function_among_code_brings_its_comments() {
        let source = [
            "fn f() {",
            "}",
            "/// why",
            "#[cfg(feature = \"x\")]",
            "#[test]",
            "fn it_works() {",
            "    if x {",
            "    }",
            "}",
            "fn g() {}",
        ];
        check_sides(&source, "cctttttttc");
    }

    #[test]
    fn a_citation_names_its_place() {
        let citation = |id: &str, side, line| Citation {
            id: id.to_owned(),
            side,
            file: "crates/x/src/a.rs".to_owned(),
            line,
        };
        let source = "// [MQTT5-1.1.1-1]\nfn f() {}\n#[cfg(test)]\nmod tests {\n    /// [MQTT5-1.1.1-2]\n}\n";
        let expected = [citation("MQTT5-1.1.1-1", Side::Code, 1), citation("MQTT5-1.1.1-2", Side::Test, 5)];
        assert_eq!(scan_source("crates/x/src/a.rs", source), expected);
    }
}
