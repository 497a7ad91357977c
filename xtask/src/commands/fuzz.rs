//! Owns `cargo xtask fuzz`: it runs one fuzz target for some time and says what to do with a finding. What the
//! targets assert is in `fuzz` and in the tests that replay their corpus.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Verdict;
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Run a fuzz target on the nightly toolchain.
///
/// This is `cargo +nightly fuzz run TARGET ... -- -max_total_time=N` in the folder fuzz. It begins with the committed
/// corpus in fuzz/corpus/TARGET and keeps what it learns in fuzz/target/corpus/TARGET, for the next run. The exit
/// code is 0 if nothing was found, 1 if an input was, and 2 if the tools are missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which target; --list names them.
    #[arg(required_unless_present = "list")]
    target: Option<String>,
    /// Seconds until it stops by itself. 0 is without end.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Print the names of the targets, and run nothing.
    #[arg(long, conflicts_with = "target")]
    list: bool,
}

pub(crate) fn run(args: &Args) -> Result<Verdict, Error> {
    let fuzz = Workspace::load()?.root.join("fuzz");
    let targets = targets(&fuzz)?;
    match &args.target {
        Some(target) if targets.contains(target) => fuzz_one(&fuzz, target, args.seconds),
        Some(target) => Err(Error::UnknownFuzzTarget { name: target.clone(), known: targets }),
        None => {
            targets.iter().for_each(|target| println!("{target}"));
            Ok(Verdict::Good)
        }
    }
}

/// A target is a file of the folder `fuzz_targets`.
fn targets(fuzz: &Path) -> Result<Vec<String>, Error> {
    let stems = files(&fuzz.join("fuzz_targets"))?;
    Ok(stems.iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect())
}

fn fuzz_one(fuzz: &Path, target: &str, seconds: u32) -> Result<Verdict, Error> {
    check_tools(fuzz)?;
    let artifacts = fuzz.join("artifacts").join(target);
    let before = findings(&artifacts)?;
    // The fuzzer writes to the first corpus: not to the committed one, which is to stay small.
    let corpora = [format!("target/corpus/{target}"), format!("corpus/{target}")];
    let learnt = fuzz.join(&corpora[0]);
    fs::create_dir_all(&learnt)
        .map_err(|source| Error::Create { path: learnt.display().to_string(), source })?;
    let mut command = process::command("cargo", fuzz);
    // The toolchain that cargo was started with would overrule `+nightly`.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
    command.args(["+nightly", "fuzz", "run", target]).args(&corpora);
    command.args(["--", &format!("-max_total_time={seconds}")]);
    println!("{}", process::shown(&command));
    let verdict = process::run_in_view(&mut command)?;
    for finding in findings(&artifacts)?.difference(&before) {
        println!("{}", advice(fuzz, target, finding));
    }
    Ok(verdict)
}

fn check_tools(fuzz: &Path) -> Result<(), Error> {
    let tools: [(&str, &[&str], &str); 2] = [
        ("rustc", &["+nightly", "--version"], "rustup toolchain install nightly"),
        ("cargo-fuzz", &["--version"], "cargo install cargo-fuzz --locked"),
    ];
    for (program, arguments, remedy) in tools {
        let mut command = process::command(program, fuzz);
        let output = command.env_remove("RUSTUP_TOOLCHAIN").args(arguments).output();
        if !output.is_ok_and(|output| output.status.success()) {
            return Err(Error::MissingTool { command: process::shown(&command), remedy });
        }
    }
    Ok(())
}

/// The inputs that made a target fail; the folder comes with the first.
fn findings(artifacts: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    if artifacts.is_dir() { files(artifacts) } else { Ok(BTreeSet::new()) }
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let error = |source| Error::Read { path: folder.display().to_string(), source };
    let entries = fs::read_dir(folder).map_err(error)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(error)).collect()
}

fn advice(fuzz: &Path, target: &str, finding: &Path) -> String {
    let input = finding.strip_prefix(fuzz).unwrap_or(finding).display();
    format!(
        "\nfound: fuzz/{input}\n\
         replay it:     cd fuzz && cargo +nightly fuzz run {target} {input}\n\
         make it small: cd fuzz && cargo +nightly fuzz tmin {target} {input}\n\
         keep it:       copy the small one to fuzz/corpus/{target}/ under a name that says what it shows, and \
         commit it with the fix;\n               \
         the tests replay the corpus on stable"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_named_with_the_way_to_replay_and_to_keep_it() {
        let advice = advice(Path::new("/w/fuzz"), "shard", Path::new("/w/fuzz/artifacts/shard/crash-1"));
        let expected = "
found: fuzz/artifacts/shard/crash-1
replay it:     cd fuzz && cargo +nightly fuzz run shard artifacts/shard/crash-1
make it small: cd fuzz && cargo +nightly fuzz tmin shard artifacts/shard/crash-1
keep it:       copy the small one to fuzz/corpus/shard/ under a name that says what it shows, and commit it with the fix;
               the tests replay the corpus on stable";
        assert_eq!(advice, expected);
    }

    #[test]
    fn every_target_has_a_committed_corpus() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let targets = targets(&fuzz).expect("the targets are there");
        assert!(targets.contains(&"shard".to_owned()), "{targets:?}");
        for target in targets {
            let corpus = files(&fuzz.join("corpus").join(&target)).unwrap_or_else(|error| panic!("{error}"));
            assert!(!corpus.is_empty(), "{target} has none");
        }
    }
}
