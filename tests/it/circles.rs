//! No circles inside a room: at every level, a module imports from its siblings in one direction
//! only. A module and its own parent or children may know each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A path of modules or of an item, relative to its room.
type Segments = Vec<String>;

/// One source file of a room, which is one module.
#[derive(Default)]
struct Module {
    /// The code without comments and tests.
    code: String,
    /// The names that it imports or re-exports, each with the path behind it.
    names: BTreeMap<String, Segments>,
}

/// All modules of a room by their paths; that of the room itself is empty.
struct Room {
    name: String,
    modules: BTreeMap<Segments, Module>,
}

impl Room {
    fn read(sources: &str, name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(sources).join(name);
        let mut room = Self { name: name.to_owned(), modules: BTreeMap::new() };
        room.read_folder(&root, &[]);
        assert!(room.modules.contains_key(&Segments::new()), "the room `{name}` was found");
        room.find_names();
        room
    }

    /// A room of the given modules and their code.
    fn of(name: &str, modules: &[(&[&str], &str)]) -> Self {
        let module = |code: &&str| Module { code: code_of(code), ..Module::default() };
        let path = |path: &[&str]| path.iter().map(|&name| name.to_owned()).collect();
        let modules = modules.iter().map(|(name, code)| (path(name), module(code))).collect();
        let mut room = Self { name: name.to_owned(), modules };
        room.find_names();
        room
    }

    fn read_folder(&mut self, folder: &Path, module: &[String]) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if stem == "tests" {
                continue;
            }
            let child = [module, std::slice::from_ref(&stem)].concat();
            if path.is_dir() {
                self.read_folder(&path, &child);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = if stem == "mod" { module.to_vec() } else { child };
                let code = code_of(&fs::read_to_string(&path).unwrap());
                self.modules.insert(name, Module { code, names: BTreeMap::new() });
            }
        }
    }

    /// Finds what the `use` declarations of each module bring in.
    fn find_names(&mut self) {
        let paths: Vec<Segments> = self.modules.keys().cloned().collect();
        for path in paths {
            let code = self.modules[&path].code.clone();
            let mut names = BTreeMap::new();
            for declaration in code.split_inclusive(';').filter_map(declared) {
                for (import, alias) in tree(declaration) {
                    let name = alias.or_else(|| import.last().cloned());
                    if let (Some(name), Some(import)) = (name, self.absolute(&path, &import)) {
                        names.insert(name, import);
                    }
                }
            }
            self.modules.get_mut(&path).unwrap().names = names;
        }
    }

    /// A path as written in a module, from the room on; `None` if it leaves the room.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Segments> {
        let mut at = module.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" if path.get(1) == Some(&self.name) => return Some(path[2..].to_vec()),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
            }
            child if self.modules.contains_key(&[module, &[child.to_owned()]].concat()) => {}
            _ => return None,
        }
        at.extend(rest.iter().cloned());
        Some(at)
    }

    /// The module where the item of a path stands; re-exports are followed.
    fn home(&self, path: &[String], depth_left: usize) -> Segments {
        let mut at = Segments::new();
        for (index, part) in path.iter().enumerate() {
            at.push(part.clone());
            if self.modules.contains_key(&at) {
                continue;
            }
            at.pop();
            let behind = self.modules[&at].names.get(part).filter(|_| depth_left > 0);
            let Some(behind) = behind else { return at };
            let further = [behind, &path[index + 1..]].concat();
            return self.home(&further, depth_left - 1);
        }
        at
    }

    /// The modules whose items a module mentions.
    fn imports(&self, path: &Segments) -> BTreeSet<Segments> {
        let code = &self.modules[path].code;
        let starts = ["crate::", "super::", "self::"].map(|start| code.match_indices(start));
        let mentioned = starts.into_iter().flatten().filter(|(at, _)| {
            let joins = |before: char| before.is_alphanumeric() || before == '_' || before == ':';
            !code[..*at].ends_with(joins)
        });
        mentioned
            .flat_map(|(at, _)| tree(&code[at..]))
            .filter_map(|(import, _)| self.absolute(path, &import))
            .map(|import| self.home(&import, 10))
            .collect()
    }

    /// The imports between siblings, each with an example. The siblings are those
    /// below the nearest module that both ends of an import lie in.
    fn siblings(&self) -> BTreeMap<Segments, BTreeMap<Segments, String>> {
        let mut edges: BTreeMap<Segments, BTreeMap<Segments, String>> = BTreeMap::new();
        for from in self.modules.keys() {
            for to in self.imports(from) {
                let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
                if common == from.len() || common == to.len() {
                    continue;
                }
                let edge = format!("{} imports from {}", from.join("::"), to.join("::"));
                let one = from[..=common].to_vec();
                let other = to[..=common].to_vec();
                edges.entry(one).or_default().entry(other).or_insert(edge);
            }
        }
        edges
    }

    /// The imports that go back to where they came from, each on a line.
    fn circles(&self) -> Vec<String> {
        let edges = self.siblings();
        let mut found = Vec::new();
        for (from, targets) in &edges {
            for (to, shown) in targets {
                if reaches(&edges, to, from) {
                    found.push(format!("{}: {shown}", self.name));
                }
            }
        }
        found
    }
}

/// Whether imports lead from one module to another.
fn reaches(
    edges: &BTreeMap<Segments, BTreeMap<Segments, String>>,
    from: &Segments,
    to: &Segments,
) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![from];
    while let Some(at) = left.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            left.extend(edges.get(at).into_iter().flat_map(BTreeMap::keys));
        }
    }
    false
}

/// A file's code without comments, and without the tests at its end.
fn code_of(text: &str) -> String {
    let text = text.replace("#[cfg(test)]\nmod tests;", "");
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// The path of a `use` declaration that ends a piece of code.
fn declared(piece: &str) -> Option<&str> {
    let at = piece.rfind("use ")?;
    let before = piece[..at].trim_end_matches(' ');
    let begins = before.is_empty() || before.ends_with('\n') || before.ends_with(')');
    (begins || before.ends_with("pub")).then(|| &piece[at + 4..])
}

/// The paths at the beginning of a text, groups in braces taken apart, each with its `as`.
fn tree(text: &str) -> Vec<(Segments, Option<String>)> {
    let mut found = Vec::new();
    branch(text, &mut Segments::new(), &mut found);
    found
}

/// Reads one path or group, and gives what stands behind it.
fn branch<'a>(
    text: &'a str,
    before: &mut Segments,
    found: &mut Vec<(Segments, Option<String>)>,
) -> &'a str {
    let depth = before.len();
    let mut rest = text.trim_start();
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            rest = group.trim_start();
            while !rest.starts_with('}') && !rest.is_empty() {
                rest = branch(rest, before, found).trim_start();
                rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
            }
            rest = rest.strip_prefix('}').unwrap_or(rest);
            break;
        }
        let (name, behind) = word(rest);
        if name != "self" || before.is_empty() {
            before.extend((!name.is_empty()).then(|| name.to_owned()));
        }
        if let Some(behind) = behind.strip_prefix("::") {
            rest = behind;
            continue;
        }
        let alias = behind.trim_start().strip_prefix("as ").map(|alias| word(alias.trim_start()));
        found.push((before.clone(), alias.map(|(name, _)| name.to_owned())));
        let behind = alias.map_or(behind, |(_, behind)| behind);
        // A glob, or anything else that is no name, is passed over.
        rest = if name.is_empty() { skip(behind) } else { behind };
        break;
    }
    before.truncate(depth);
    rest
}

fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

fn skip(text: &str) -> &str {
    let mut rest = text.chars();
    rest.next();
    rest.as_str()
}

/// Looks at every folder of these sources, each of which is a room.
fn assert_no_circles(sources: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(sources);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let rooms: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    assert!(rooms.len() > 1, "the rooms were found");
    let name = |room: &Path| room.file_name().unwrap().to_str().unwrap().to_owned();
    let circles = rooms.iter().flat_map(|room| Room::read(sources, &name(room)).circles());
    let circles: Vec<_> = circles.collect();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn modules_of_a_room_import_in_one_direction() {
    assert_no_circles("src");
}

#[test]
fn modules_of_a_simulator_import_in_one_direction() {
    assert_no_circles("simulators/src");
}

#[test]
fn circle_is_found_through_groups_and_reexports() {
    let room = Room::of(
        "room",
        &[
            (&[], "mod a;\nmod b;\npub use a::{One, Other as Another};"),
            (&["a"], "use super::{b::{Two, self}, One};\nstruct One;"),
            (&["b"], "use crate::room::Another;\nstruct Two;"),
        ],
    );
    let expected = ["room: a imports from b", "room: b imports from a"];
    assert_eq!(room.circles(), expected);
}

#[test]
fn circle_is_found_between_folders_and_in_paths_within_code() {
    let room = Room::of(
        "room",
        &[
            (&[], "mod a;\nmod b;"),
            (&["a"], ""),
            (&["a", "one"], "fn f() { super::super::b::one::g() }"),
            (&["a", "two"], ""),
            (&["b"], ""),
            (&["b", "one"], ""),
            (&["b", "two"], "type T = crate::room::a::two::U;"),
        ],
    );
    let expected = ["room: a::one imports from b::one", "room: b::two imports from a::two"];
    assert_eq!(room.circles(), expected);
}

#[test]
fn parent_and_child_may_know_each_other() {
    let room = Room::of(
        "room",
        &[
            (&[], "mod a;\nuse self::a::One;\nstruct Whole;"),
            (&["a"], "use super::Whole;\nuse crate::other::b;"),
            (&["b"], "use super::a::One;"),
        ],
    );
    assert_eq!(room.circles(), [""; 0]);
}
