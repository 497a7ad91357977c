//! Owns one quirk of the command line: `-D` is followed by three words, or by four for a user property.
//! What the words mean is said in `property`.

use clap::{Arg, Command};
use std::ffi::{OsStr, OsString};

/// The id of the argument whose words are folded.
pub(crate) const PROPERTIES: &str = "properties";

/// Stands between folded words. No argument can hold it, since arguments end at it.
pub(crate) const SEPARATOR: char = '\0';

/// Folds the words after each `-D` or `--property` into one, as the parser can only be told a fixed number.
///
/// A greedy "three or four" would take the word after a property for a part of it, so the property's name
/// has to decide. Values of other options are skipped: `-m -D` sends the text `-D`.
pub(super) fn fold_properties(
    definition: &Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let mut folded: Vec<OsString> = arguments.by_ref().take(2).collect();
    let Some(command) = folded.get(1).and_then(|name| definition.find_subcommand(name)) else {
        folded.extend(arguments);
        return folded;
    };
    while let Some(argument) = arguments.next() {
        let option = option_awaiting_value(command, &argument);
        let options_end = argument == "--";
        folded.push(argument);
        match option {
            Some(option) if option.get_id() == PROPERTIES => folded.extend(fold_one(&mut arguments)),
            Some(_) => folded.extend(arguments.next()),
            None if options_end => folded.extend(arguments.by_ref()),
            None => {}
        }
    }
    folded
}

/// The option in `argument` whose value is the next word, if there is one.
fn option_awaiting_value<'a>(command: &'a Command, argument: &OsStr) -> Option<&'a Arg> {
    let text = argument.to_str()?;
    let takes_value = |option: &&Arg| option.get_action().takes_values();
    if let Some(name) = text.strip_prefix("--") {
        return command.get_arguments().find(|option| option.get_long() == Some(name)).filter(takes_value);
    }
    let mut flags = text.strip_prefix('-')?.chars();
    while let Some(flag) = flags.next() {
        let option = command.get_arguments().find(|option| option.get_short() == Some(flag))?;
        if takes_value(&option) {
            // What follows in the same word is the value.
            return flags.next().is_none().then_some(option);
        }
    }
    None
}

/// Packet, property name and value, joined; two values for a user property. `None` if there is no word at all.
fn fold_one(arguments: &mut impl Iterator<Item = OsString>) -> Option<OsString> {
    let mut joined = arguments.next()?;
    let name = arguments.next();
    let values = if name.as_deref() == Some(OsStr::new("user-property")) { 2 } else { 1 };
    for word in name.into_iter().chain(arguments.take(values)) {
        joined.push(SEPARATOR.to_string());
        joined.push(word);
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use crate::cli::Command;
    use crate::cli::tests::parse_words;

    fn check(words: &str, expected: &[&str]) {
        let command = parse_words(words).unwrap_or_else(|error| panic!("{words}: {error}"));
        let Command::Publish(arguments) = command else { panic!("{words}: another command") };
        assert_eq!(arguments.connection.properties, expected, "{words}");
    }

    #[test]
    fn three_words_belong_to_a_property_and_four_to_a_user_property() {
        check("pub -D publish content-type text -t a -n", &["publish\0content-type\0text"]);
        check("pub --property publish user-property a b -t a -n", &["publish\0user-property\0a\0b"]);
        check("pub -dD connect receive-maximum 5 mqtt://h/a -n", &["connect\0receive-maximum\x005"]);
        check(
            "pub -D publish user-property -t -D -D publish content-type -D -t a -n",
            &["publish\0user-property\0-t\0-D", "publish\0content-type\0-D"],
        );
    }

    #[test]
    fn the_value_of_another_option_is_no_property() {
        check("pub -t a -m -D", &[]);
        check("pub -t a -dm -D", &[]);
        check("pub --topic a --message -D", &[]);
    }

    #[test]
    fn a_property_cut_short_is_left_for_its_own_error() {
        check("pub -t a -n -D publish content-type", &["publish\0content-type"]);
        check("pub -t a -n -D publish user-property a", &["publish\0user-property\0a"]);
        assert!(parse_words("pub -t a -n -D").is_err());
    }
}
