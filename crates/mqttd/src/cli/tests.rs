//! Owns the proof that the command line is what scripts and people rely on.

use clap::CommandFactory as _;

use super::*;
use crate::config::Settings;

/// What the flags say, one per line, weakest first.
fn entries(arguments: &[&str]) -> String {
    let cli = Cli::try_parse_from([&["mqttd"], arguments].concat()).expect("a command line");
    let entries = cli.flags.entries();
    let lines = entries.iter().map(|entry| format!("{}: {} = {}", entry.origin, entry.key, entry.raw));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn flags_become_entries_of_the_configuration() {
    let arguments = [
        "--workers",
        "4",
        "--listen",
        "127.0.0.1:0",
        "--set",
        "workers=3",
        "--listen",
        "[::1]:0",
        "--data-dir",
        "data",
        "--allow-anonymous",
        "--set",
        "capabilities.response_information_prefix=a=b",
        "--log-level",
        "debug",
    ];
    insta::assert_snapshot!(entries(&arguments), @r#"
    --set workers: workers = "3"
    --set capabilities.response_information_prefix: capabilities.response_information_prefix = "a=b"
    --listen: listen = ["127.0.0.1:0", "[::1]:0"]
    --data-dir: data_dir = "data"
    --workers: workers = "4"
    --log-level: log.level = "debug"
    --allow-anonymous: allow_anonymous = true
    "#);
    assert_eq!(entries(&[]), "");
}

#[test]
fn command_lines_that_make_no_sense_are_refused() {
    for arguments in [
        &["--set", "workers"][..],
        &["--workers"],
        &["--wrokers", "4"],
        &["--workers", "1", "--workers", "2"],
        &["serve"],
        &["--workers", "1", "check"],
        &["check", "a.toml", "--config", "b.toml"],
        &["check", "a.toml", "b.toml"],
        &["journal"],
        &["journal", "verify"],
        &["journal", "verify", "a", "b"],
        &["journal", "dump", "--data-dir", "a"],
    ] {
        let outcome = Cli::try_parse_from([&["mqttd"], arguments].concat());
        assert_eq!(outcome.map_err(|error| error.exit_code()).err(), Some(2), "{arguments:?}");
    }
}

#[test]
fn the_help_names_the_true_defaults() {
    let help = Cli::command().render_help().to_string();
    let Settings { listen, data_dir, .. } = Settings::default();
    for default in [listen[0].to_string(), data_dir.display().to_string()] {
        assert!(help.contains(&format!("[default: {default}]")), "{default}");
    }
}

/// The help of a command, by its words.
fn help(words: &[&str]) -> String {
    let mut root = Cli::command().term_width(100);
    root.build();
    let command =
        words.iter().fold(&mut root, |command, word| command.find_subcommand_mut(word).expect("a command"));
    command.render_long_help().to_string()
}

#[test]
fn help_of_the_daemon() {
    insta::assert_snapshot!(help(&[]));
}

#[test]
fn help_of_check() {
    insta::assert_snapshot!(help(&["check"]));
}

#[test]
fn help_of_config() {
    insta::assert_snapshot!(help(&["config"]));
}

#[test]
fn help_of_journal() {
    let help = [&["journal"][..], &["journal", "verify"], &["journal", "dump"]].map(help);
    insta::assert_snapshot!(help.join("---\n"), @r"
    Look at the data of a daemon that does not run

    Usage: mqttd journal <COMMAND>

    Commands:
      verify  Read everything in a data directory and report all that is damaged
      dump    Show everything in a data directory, record by record
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help
    ---
    Read everything in a data directory and report all that is damaged

    Usage: mqttd journal verify <DIR>

    Arguments:
      <DIR>
              The data directory of a daemon that does not run

    Options:
      -h, --help
              Print help
    ---
    Show everything in a data directory, record by record

    Usage: mqttd journal dump [OPTIONS] <DIR>

    Arguments:
      <DIR>
              The data directory of a daemon that does not run

    Options:
          --json
              Write one JSON object per line

      -h, --help
              Print help
    ");
}
