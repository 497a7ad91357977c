//! Filters with wildcards, as one trie: which nodes a topic reaches. Filters without wildcards are
//! found elsewhere, and who subscribes is kept in lists elsewhere.

use super::arena::Arena;
use super::hashing::Seed;
use super::levels::Levels;
use super::subscriber::Subscribers;
use super::table::SlotTable;

/// Nodes in one arena; the edge to a child named by text is found by hash in one flat table, which
/// holds the child's number alone, because the child knows its parent and its level.
#[derive(Debug)]
pub(super) struct Trie {
    seed: Seed,
    nodes: Arena<Node>,
    edges: SlotTable,
    levels: Levels,
}

/// 32 bytes, and never in two cache lines.
#[derive(Debug)]
#[repr(align(32))]
struct Node {
    parent: u32,
    /// The number of the level's text, or [`PLUS`] or [`HASH`].
    level: u32,
    /// The child for `+`, or [`NONE`].
    plus: u32,
    /// The child for `#`, or [`NONE`].
    hash: u32,
    /// Children in the edge table.
    children: u32,
    subscribers: Subscribers,
}

/// No node: the root, which is nobody's child.
const NONE: u32 = ROOT;
const ROOT: u32 = 0;
const PLUS: u32 = u32::MAX;
const HASH: u32 = u32::MAX - 1;

/// The nodes of one depth that a topic reaches, and those of the next: kept by the caller so that a
/// match allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Frontier {
    nodes: Vec<u32>,
    children: Vec<u32>,
}

impl Trie {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, nodes: root_only(), edges: SlotTable::default(), levels: Levels::new(seed) }
    }

    /// Visits the subscribers of every filter that matches the topic, and no others `[MQTT311-3.3.2-3]`. Levels
    /// are compared byte by byte `[MQTT311-4.7.3-4]`.
    pub(super) fn walk(&self, topic: &str, frontier: &mut Frontier, mut visit: impl FnMut(Subscribers)) {
        let Frontier { nodes, children } = frontier;
        nodes.clear();
        nodes.push(ROOT);
        // [MQTT5-4.7.2-1] [MQTT311-4.7.2-1]: a leading wildcard does not match a leading `$`.
        let mut wildcards_apply = !topic.starts_with('$');
        for level in topic.as_bytes().split(|&byte| byte == b'/') {
            let level = self.levels.find(level);
            children.clear();
            for &number in &*nodes {
                let node = &self.nodes[number];
                if wildcards_apply {
                    if node.hash != NONE {
                        visit(self.nodes[node.hash].subscribers);
                    }
                    if node.plus != NONE {
                        children.push(node.plus);
                    }
                }
                if node.children != 0
                    && let Some(child) = level.and_then(|level| self.child(number, level))
                {
                    children.push(child);
                }
            }
            if children.is_empty() {
                return;
            }
            core::mem::swap(nodes, children);
            wildcards_apply = true;
        }
        for &number in &*nodes {
            let node = &self.nodes[number];
            visit(node.subscribers);
            // `sport/#` matches `sport` too.
            if node.hash != NONE {
                visit(self.nodes[node.hash].subscribers);
            }
        }
    }

    /// The node of a filter, if it is there.
    pub(super) fn find(&self, filter: &str) -> Option<u32> {
        filter.split('/').try_fold(ROOT, |node, level| match level {
            "+" => Some(self.nodes[node].plus).filter(|&child| child != NONE),
            "#" => Some(self.nodes[node].hash).filter(|&child| child != NONE),
            text => self.child(node, self.levels.find(text.as_bytes())?),
        })
    }

    /// The node of a filter, added if it is not there.
    pub(super) fn find_or_insert(&mut self, filter: &str) -> u32 {
        filter.split('/').fold(ROOT, |node, level| match level {
            "+" if self.nodes[node].plus != NONE => self.nodes[node].plus,
            "+" => {
                let child = self.nodes.insert(Node { parent: node, level: PLUS, ..Node::default() });
                self.nodes[node].plus = child;
                child
            }
            "#" if self.nodes[node].hash != NONE => self.nodes[node].hash,
            "#" => {
                let child = self.nodes.insert(Node { parent: node, level: HASH, ..Node::default() });
                self.nodes[node].hash = child;
                child
            }
            text => {
                let present = self.levels.find(text.as_bytes()).and_then(|level| self.child(node, level));
                present.unwrap_or_else(|| self.insert_child(node, text))
            }
        })
    }

    /// Removes a node that nobody subscribes at and nothing hangs from, then its parent likewise.
    pub(super) fn prune(&mut self, mut number: u32) {
        while number != ROOT && self.nodes[number].is_idle() {
            let parent = self.nodes[number].parent;
            match self.nodes[number].level {
                PLUS => self.nodes[parent].plus = NONE,
                HASH => self.nodes[parent].hash = NONE,
                _ => self.detach_child(number),
            }
            self.nodes.remove(number);
            number = parent;
        }
        if self.nodes() == 0 {
            self.nodes = root_only();
        }
    }

    pub(super) fn subscribers_mut(&mut self, node: u32) -> &mut Subscribers {
        &mut self.nodes[node].subscribers
    }

    /// Nodes in use, the root not counted.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Level texts in use.
    pub(super) fn levels(&self) -> usize {
        self.levels.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.nodes.memory_bytes() + self.edges.memory_bytes() + self.levels.memory_bytes()
    }

    fn child(&self, parent: u32, level: u32) -> Option<u32> {
        self.edges.find(self.seed.hash_pair(parent, level), |number| {
            let node = &self.nodes[number];
            node.parent == parent && node.level == level
        })
    }

    fn insert_child(&mut self, parent: u32, text: &str) -> u32 {
        let level = self.levels.acquire(text.as_bytes());
        let child = self.nodes.insert(Node { parent, level, ..Node::default() });
        self.nodes[parent].children += 1;
        self.edges.insert(self.seed.hash_pair(parent, level), child);
        child
    }

    fn detach_child(&mut self, number: u32) {
        let Node { parent, level, .. } = self.nodes[number];
        self.edges.remove(self.seed.hash_pair(parent, level), number);
        self.nodes[parent].children -= 1;
        self.levels.release(level);
    }
}

fn root_only() -> Arena<Node> {
    let mut nodes = Arena::default();
    let root = nodes.insert(Node::default());
    debug_assert_eq!(root, ROOT);
    nodes
}

impl Node {
    fn is_idle(&self) -> bool {
        self.subscribers.is_empty() && self.plus == NONE && self.hash == NONE && self.children == 0
    }
}

impl Default for Node {
    fn default() -> Self {
        let subscribers = Subscribers::default();
        Self { parent: NONE, level: NONE, plus: NONE, hash: NONE, children: 0, subscribers }
    }
}
