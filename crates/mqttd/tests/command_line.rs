//! Owns the proof that the real binary reads its sources and tells its exit codes. What is said
//! about each wrong value is proven beside the configuration.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the daemon in an empty environment, in this directory.
fn mqttd(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mqttd"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .expect("the daemon runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

fn directory_with(name: &str, content: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join(name), content).expect("a file");
    directory
}

#[test]
fn check_tells_good_files_from_bad_ones() {
    let bad = "listner = []\n\n[limits]\nreceive_maximum = 0\n";
    for (content, code, output, error) in [
        ("workers = 2\n", 0, "mqttd.toml: OK\n", ""),
        ("", 0, "mqttd.toml: OK\n", ""),
        (
            bad,
            2,
            "",
            "mqttd.toml:1: unknown key \"listner\"; did you mean \"listen\"?\n\
             mqttd.toml:4: limits.receive_maximum is 0; it must be 1 to 65535\n\
             hint: `mqttd config --reference` documents every key\n",
        ),
    ] {
        let directory = directory_with("mqttd.toml", content);
        for (arguments, environment) in [
            (&["check", "mqttd.toml"][..], &[][..]),
            (&["check", "--config", "mqttd.toml"], &[]),
            (&["check"], &[("MQTTD_CONFIG", "mqttd.toml")]),
        ] {
            let outcome = mqttd(directory.path(), arguments, environment);
            assert_eq!(text(&outcome.stderr), error, "{arguments:?}");
            assert_eq!(text(&outcome.stdout), output, "{arguments:?}");
            assert_eq!(outcome.status.code(), Some(code), "{arguments:?}");
        }
    }
}

#[test]
fn a_file_that_is_not_there_and_no_file_at_all_are_told_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    for (arguments, expected) in [
        (&["check"][..], "error: no file to check\nhint: `mqttd check FILE`, or set MQTTD_CONFIG\n"),
        (&["check", "absent.toml"], "absent.toml: cannot be read: No such file or directory (os error 2)\n"),
        (
            &["config", "--config", "absent.toml"],
            "absent.toml: cannot be read: No such file or directory (os error 2)\n",
        ),
        (
            &["--config", "absent.toml"],
            "absent.toml: cannot be read: No such file or directory (os error 2)\n",
        ),
    ] {
        let outcome = mqttd(directory.path(), arguments, &[]);
        assert!(text(&outcome.stderr).starts_with(expected), "{}", text(&outcome.stderr));
        assert_eq!(outcome.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn config_combines_flags_environment_and_the_named_file() {
    let directory =
        directory_with("mqttd.toml", "workers = 1\nlimits.inflight_max = 1\nlimits.receive_maximum = 1\n");
    let outcome = mqttd(
        directory.path(),
        &["config", "--set", "limits.receive_maximum=3"],
        &[
            ("MQTTD_CONFIG", "mqttd.toml"),
            ("MQTTD_LIMITS_INFLIGHT_MAX", "2"),
            ("MQTTD_LIMITS_RECEIVE_MAXIMUM", "2"),
        ],
    );
    let output = text(&outcome.stdout);
    let set: Vec<&str> = output.lines().filter(|line| line.contains('#')).collect();
    assert_eq!(
        set,
        [
            "workers = 1  # mqttd.toml:1",
            "inflight_max = 2  # MQTTD_LIMITS_INFLIGHT_MAX",
            "receive_maximum = 3  # --set limits.receive_maximum",
        ]
    );
    assert_eq!(outcome.status.code(), Some(0));
}

#[test]
fn a_file_that_nobody_names_is_not_read() {
    let directory = directory_with("mqttd.toml", "workers = nonsense");
    let outcome = mqttd(directory.path(), &["config"], &[]);
    assert_eq!(outcome.status.code(), Some(0));
}

#[test]
fn the_reference_is_printed_as_it_is_shipped() {
    let directory = tempfile::tempdir().expect("a directory");
    let outcome = mqttd(directory.path(), &["config", "--reference"], &[]);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("mqttd.reference.toml");
    assert!(text(&outcome.stdout) == std::fs::read_to_string(shipped).expect("the reference file"));
    assert_eq!(outcome.status.code(), Some(0));
}

#[test]
fn strangers_are_refused_before_anything_is_opened() {
    let directory = tempfile::tempdir().expect("a directory");
    let outcome = mqttd(directory.path(), &["--listen", "0.0.0.0:0"], &[]);
    let error = text(&outcome.stderr);
    assert!(error.starts_with("--listen: listen is 0.0.0.0:0, which other machines can reach"), "{error}");
    assert!(error.contains("allow_anonymous = true"), "{error}");
    assert_eq!(outcome.status.code(), Some(2));
}
