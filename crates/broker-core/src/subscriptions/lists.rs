//! The subscribers of filters that have more than one. Which filter a list belongs to is not known
//! here.

use std::collections::BTreeMap;

use super::arena::{Arena, block_bytes};
use super::subscriber::{Entry, Held, Subscribers};

/// From here on a list is a tree. An array that stays sorted would make the millionth subscriber of
/// one filter cost a million moves.
const FEW_MAX: usize = 64;
/// Bytes of one entry in a tree, whose nodes are about two thirds full.
const TREE_ENTRY_BYTES: usize = 24;

/// Every list of the index. Lists are sorted by key, so a match of one filter needs no sorting.
#[derive(Debug, Default)]
pub(super) struct Lists {
    lists: Arena<List>,
    owned_bytes: usize,
}

#[derive(Debug)]
enum List {
    Few(Vec<Entry>),
    Many(BTreeMap<u64, u32>),
}

impl Default for List {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Lists {
    /// Adds an entry, or replaces the options of the one with its key. The replaced entry.
    pub(super) fn insert(&mut self, subscribers: &mut Subscribers, entry: Entry) -> Option<Entry> {
        match subscribers.held() {
            Held::Nobody => {
                *subscribers = Subscribers::one(entry);
                None
            }
            Held::One(present) if present.key() == entry.key() => {
                *subscribers = Subscribers::one(entry);
                Some(present)
            }
            Held::One(present) => {
                let mut pair = vec![present, entry];
                pair.sort_unstable_by_key(|entry| entry.key());
                let pair = List::Few(pair);
                self.owned_bytes += pair.owned_bytes();
                *subscribers = Subscribers::list(self.lists.insert(pair));
                None
            }
            Held::List(list) => self.change(list, |list| list.insert(entry)),
        }
    }

    /// Removes the entry with a key, if it is there.
    pub(super) fn remove(&mut self, subscribers: &mut Subscribers, key: u64) -> Option<Entry> {
        match subscribers.held() {
            Held::One(present) if present.key() == key => {
                *subscribers = Subscribers::default();
                Some(present)
            }
            Held::List(number) => {
                let removed = self.change(number, |list| list.remove(key))?;
                if let Some(last) = self.lists[number].sole() {
                    *subscribers = Subscribers::one(last);
                    let list = self.lists.remove(number);
                    self.owned_bytes -= list.owned_bytes();
                }
                Some(removed)
            }
            Held::Nobody | Held::One(_) => None,
        }
    }

    /// Appends the entries, in the order of their keys.
    pub(super) fn collect(&self, subscribers: Subscribers, entries: &mut Vec<Entry>) {
        match subscribers.held() {
            Held::Nobody => {}
            Held::One(entry) => entries.push(entry),
            Held::List(list) => match &self.lists[list] {
                List::Few(few) => entries.extend_from_slice(few),
                List::Many(many) => {
                    entries.extend(many.iter().map(|(&key, &options)| Entry::new(key, options)));
                }
            },
        }
    }

    /// Lists in use.
    pub(super) fn len(&self) -> usize {
        self.lists.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.lists.memory_bytes() + self.owned_bytes
    }

    fn change<R>(&mut self, list: u32, change: impl FnOnce(&mut List) -> R) -> R {
        let list = &mut self.lists[list];
        self.owned_bytes -= list.owned_bytes();
        let result = change(list);
        self.owned_bytes += list.owned_bytes();
        result
    }
}

impl List {
    fn insert(&mut self, entry: Entry) -> Option<Entry> {
        match self {
            Self::Few(few) => match few.binary_search_by_key(&entry.key(), |entry| entry.key()) {
                Ok(place) => Some(core::mem::replace(&mut few[place], entry)),
                Err(place) if few.len() < FEW_MAX => {
                    if few.len() == few.capacity() {
                        few.reserve_exact(few.len() / 2);
                    }
                    few.insert(place, entry);
                    None
                }
                Err(_) => {
                    let all = few.iter().chain([&entry]).map(|entry| (entry.key(), entry.options()));
                    *self = Self::Many(all.collect());
                    None
                }
            },
            Self::Many(many) => {
                many.insert(entry.key(), entry.options()).map(|options| Entry::new(entry.key(), options))
            }
        }
    }

    fn remove(&mut self, key: u64) -> Option<Entry> {
        match self {
            Self::Few(few) => {
                let place = few.binary_search_by_key(&key, |entry| entry.key()).ok()?;
                Some(few.remove(place))
            }
            Self::Many(many) => {
                let options = many.remove(&key)?;
                // Half the upper bound, so that a list on the edge does not change shape each time.
                if many.len() <= FEW_MAX / 2 {
                    *self = Self::Few(many.iter().map(|(&key, &options)| Entry::new(key, options)).collect());
                }
                Some(Entry::new(key, options))
            }
        }
    }

    fn sole(&self) -> Option<Entry> {
        match self {
            Self::Few(few) => {
                if let [entry] = few[..] {
                    Some(entry)
                } else {
                    None
                }
            }
            Self::Many(_) => None,
        }
    }

    fn owned_bytes(&self) -> usize {
        match self {
            Self::Few(few) => block_bytes(few.capacity() * size_of::<Entry>()),
            Self::Many(many) => many.len() * TREE_ENTRY_BYTES,
        }
    }
}
