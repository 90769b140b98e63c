//! A restricted reader of Python's pickles: it makes plain values, and neither imports nor calls anything.
//!
//! The opcodes are those of protocols 1 to 5 in CPython's `pickletools`. Where a pickle asks for a class or a
//! function, its name is kept as text; the three that plain values are written with before protocol 4
//! (`_codecs.encode` for bytes, `set`, `frozenset`) are known by name. All that is made is bounded.

mod plain;

use std::borrow::Cow;

use crate::Value;
use plain::{from_digits, from_little_endian, latin_1, repr_of_bytes, text_of};

/// So many values are made of one pickle at most.
const VALUES: usize = 1 << 16;
/// Values nest no deeper; what does is cut.
const DEEPEST: usize = 32;

/// What a pickle held.
#[derive(Debug)]
pub(super) struct Unpickled<'a> {
    pub(super) value: Value<'a>,
    /// So many values could only be made by Python, or nested too deep: a text stands for each.
    pub(super) replaced: u64,
}

/// Why a pickle is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PickleError {
    #[error("the pickle ends in the middle")]
    Truncated,
    #[error("the pickle has the opcode {0:#04x}, which no plain record has")]
    Opcode(u8),
    #[error("the pickle is malformed: {0}")]
    Malformed(&'static str),
    #[error("the pickle makes too large a value")]
    TooLarge,
}

/// Reads one pickle. What comes of it is no larger than `largest` bytes of text and values.
pub(super) fn read(pickle: &[u8], largest: usize) -> Result<Unpickled<'_>, PickleError> {
    let mut machine = Machine { rest: pickle, ..Machine::default() };
    let top = machine.run()?;
    let mut made = Made { machine: &machine, left: largest, replaced: 0 };
    let value = made.value(top, 0)?;
    Ok(Unpickled { value, replaced: made.replaced })
}

type Place = usize;
type Done<T = ()> = Result<T, PickleError>;

/// A value on the stack or in the memo; others refer to it by its place.
#[derive(Debug)]
enum Node<'a> {
    Plain(Value<'a>),
    Bytes(Cow<'a, [u8]>),
    List(Vec<Place>),
    Map(Vec<(Place, Place)>),
    /// A class or a function, by its full name.
    Global(String),
    /// Something that Python would make by calling one, and the only argument, where there is one.
    Object(String, Option<Place>),
}

#[derive(Default)]
struct Machine<'a> {
    rest: &'a [u8],
    nodes: Vec<Node<'a>>,
    stack: Vec<Place>,
    marks: Vec<usize>,
    memo: Vec<Option<Place>>,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Done<Place> {
        loop {
            let [opcode] = self.array()?;
            if opcode == b'.' {
                return self.pop();
            }
            self.step(opcode)?;
        }
    }

    fn step(&mut self, opcode: u8) -> Done {
        match opcode {
            0x80 => {
                self.array::<1>()?;
            }
            0x95 => {
                self.array::<8>()?;
            }
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.pop_mark()?;
            }
            b'2' => {
                let top = *self.stack.last().ok_or(EMPTY)?;
                self.stack.push(top);
            }
            b'q' | b'r' | 0x94 | b'h' | b'j' => self.remember(opcode)?,
            b'N' => self.push_plain(Value::Null)?,
            0x88 => self.push_plain(Value::Bool(true))?,
            0x89 => self.push_plain(Value::Bool(false))?,
            b'I' | b'J' | b'K' | b'L' | b'M' | 0x8a | 0x8b | b'G' => {
                let number = self.number(opcode)?;
                self.push_plain(number)?;
            }
            b'X' | 0x8c | 0x8d => {
                let text = text_of(self.counted(opcode)?);
                self.push_plain(Value::Text(text))?;
            }
            b'B' | b'C' | 0x8e | 0x96 => {
                let bytes = self.counted(opcode)?;
                self.push(Node::Bytes(bytes.into()))?;
            }
            b']' | b')' | 0x8f => self.push(Node::List(Vec::new()))?,
            b'}' => self.push(Node::Map(Vec::new()))?,
            b'l' | b't' | 0x91 | 0x85 | 0x86 | 0x87 | b'd' | b'a' | b'e' | 0x90 | b's' | b'u' => {
                self.gather(opcode)?;
            }
            b'c' | 0x93 | b'R' | 0x81 | 0x92 | b'o' | b'b' => self.name_object(opcode)?,
            _ => return Err(PickleError::Opcode(opcode)),
        }
        Ok(())
    }

    /// The memo: what was put there is referred to later.
    #[expect(clippy::indexing_slicing, reason = "it was made so long that the place is within")]
    fn remember(&mut self, opcode: u8) -> Done {
        let place = match opcode {
            0x94 => self.memo.len(),
            b'q' | b'h' => usize::from(self.array::<1>()?[0]),
            _ => usize::try_from(u32::from_le_bytes(self.array()?)).unwrap_or(usize::MAX),
        };
        if matches!(opcode, b'h' | b'j') {
            let known = self.memo.get(place).copied().flatten();
            self.stack.push(known.ok_or(PickleError::Malformed("it refers to what is not there"))?);
            return Ok(());
        }
        if place >= VALUES {
            return Err(PickleError::TooLarge);
        }
        if self.memo.len() <= place {
            self.memo.resize(place + 1, None);
        }
        self.memo[place] = Some(*self.stack.last().ok_or(EMPTY)?);
        Ok(())
    }

    fn number(&mut self, opcode: u8) -> Done<Value<'a>> {
        Ok(match opcode {
            b'K' => Value::Integer(i64::from(self.array::<1>()?[0])),
            b'M' => Value::Integer(i64::from(u16::from_le_bytes(self.array()?))),
            b'J' => Value::Integer(i64::from(i32::from_le_bytes(self.array()?))),
            b'G' => Value::Float(f64::from_be_bytes(self.array()?)),
            b'I' | b'L' => {
                let line = self.line()?;
                match (opcode, line) {
                    (b'I', "00") => Value::Bool(false),
                    (b'I', "01") => Value::Bool(true),
                    _ => from_digits(line.strip_suffix('L').unwrap_or(line))?,
                }
            }
            _ => from_little_endian(self.counted(opcode)?)?,
        })
    }

    /// Lists, tuples, sets and dicts, and what is put into them.
    fn gather(&mut self, opcode: u8) -> Done {
        match opcode {
            b'l' | b't' | 0x91 => {
                let items = self.pop_mark()?;
                self.push(Node::List(items))
            }
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let from = self.stack.len().checked_sub(count).filter(|from| *from >= self.floor());
                let items = self.stack.split_off(from.ok_or(EMPTY)?);
                self.push(Node::List(items))
            }
            b'd' => {
                let items = self.pop_mark()?;
                self.push(Node::Map(Vec::new()))?;
                self.set_items(&items)
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])
            }
            b'e' | 0x90 => {
                let items = self.pop_mark()?;
                self.append(&items)
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(&[key, value])
            }
            _ => {
                let items = self.pop_mark()?;
                self.set_items(&items)
            }
        }
    }

    fn append(&mut self, items: &[Place]) -> Done {
        match self.top()? {
            Node::List(list) => list.extend(items),
            Node::Object(..) => {}
            _ => return Err(PickleError::Malformed("it appends to what is no list")),
        }
        Ok(())
    }

    #[expect(clippy::indexing_slicing, reason = "the chunks are pairs")]
    fn set_items(&mut self, items: &[Place]) -> Done {
        if !items.len().is_multiple_of(2) {
            return Err(PickleError::Malformed("a key has no value"));
        }
        match self.top()? {
            Node::Map(map) => map.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
            Node::Object(..) => {}
            _ => return Err(PickleError::Malformed("it sets items of what is no dict")),
        }
        Ok(())
    }

    /// Classes, functions, and what Python would make by calling them.
    #[expect(clippy::indexing_slicing, reason = "places are of nodes that were made")]
    fn name_object(&mut self, opcode: u8) -> Done {
        match opcode {
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Node::Global(format!("{module}.{name}")))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Some(module), Some(name)) = (self.text_at(module), self.text_at(name)) else {
                    return Err(PickleError::Malformed("a name is no text"));
                };
                let name = format!("{module}.{name}");
                self.push(Node::Global(name))
            }
            b'b' => {
                self.pop()?;
                self.top().map(|_| ())
            }
            b'o' => {
                let mut items = self.pop_mark()?.into_iter();
                let class = items.next().ok_or(EMPTY)?;
                let arguments: Vec<_> = items.collect();
                self.call(class, &arguments)
            }
            _ => {
                if opcode == 0x92 {
                    self.pop()?;
                }
                let (arguments, callable) = (self.pop()?, self.pop()?);
                let Node::List(arguments) = &self.nodes[arguments] else {
                    return Err(PickleError::Malformed("arguments are no tuple"));
                };
                let arguments = arguments.clone();
                self.call(callable, &arguments)
            }
        }
    }

    /// Pushes what stands for the result of a call, which is not made.
    #[expect(clippy::indexing_slicing, reason = "places are of nodes that were made")]
    fn call(&mut self, callable: Place, arguments: &[Place]) -> Done {
        let mut name = match &self.nodes[callable] {
            Node::Global(name) | Node::Object(name, _) => name.clone(),
            _ => return Err(PickleError::Malformed("it calls what is neither class nor function")),
        };
        let first = arguments.first().copied();
        let made = match (&*name, first.map(|first| &self.nodes[first])) {
            ("_codecs.encode", Some(Node::Plain(Value::Text(text)))) => latin_1(text).map(Node::Bytes),
            ("__builtin__.bytes" | "builtins.bytes", None) => Some(Node::Bytes(Cow::Borrowed(&[]))),
            (
                "__builtin__.set" | "__builtin__.frozenset" | "builtins.set" | "builtins.frozenset",
                Some(Node::List(items)),
            ) => Some(Node::List(items.clone())),
            ("__builtin__.bytearray" | "builtins.bytearray", Some(Node::Bytes(bytes))) => {
                Some(Node::Bytes(bytes.clone()))
            }
            ("copy_reg._reconstructor" | "copyreg._reconstructor", Some(Node::Global(class))) => {
                name.clone_from(class);
                Some(Node::Object(name.clone(), None))
            }
            _ => None,
        };
        let only = if arguments.len() == 1 { first } else { None };
        self.push(made.unwrap_or(Node::Object(name, only)))
    }

    fn push_plain(&mut self, value: Value<'a>) -> Done {
        self.push(Node::Plain(value))
    }

    fn push(&mut self, node: Node<'a>) -> Done {
        if self.nodes.len() >= VALUES {
            return Err(PickleError::TooLarge);
        }
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
        Ok(())
    }

    /// What lies below it on the stack belongs to a mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Done<Place> {
        if self.stack.len() <= self.floor() {
            return Err(EMPTY);
        }
        self.stack.pop().ok_or(EMPTY)
    }

    fn pop_mark(&mut self) -> Done<Vec<Place>> {
        let mark = self.marks.pop().ok_or(PickleError::Malformed("a mark is missing"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn top(&mut self) -> Done<&mut Node<'a>> {
        let top = *self.stack.last().ok_or(EMPTY)?;
        self.nodes.get_mut(top).ok_or(EMPTY)
    }

    #[expect(clippy::indexing_slicing, reason = "places are of nodes that were made")]
    fn text_at(&self, place: Place) -> Option<&str> {
        match &self.nodes[place] {
            Node::Plain(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn array<const N: usize>(&mut self) -> Done<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(PickleError::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    /// The bytes behind an opcode that says how many there are.
    fn counted(&mut self, opcode: u8) -> Done<&'a [u8]> {
        let count = match opcode {
            0x8c | b'C' | 0x8a => u64::from(self.array::<1>()?[0]),
            0x8d | 0x8e | 0x96 => u64::from_le_bytes(self.array()?),
            _ => u64::from(u32::from_le_bytes(self.array()?)),
        };
        let count = usize::try_from(count).map_err(|_| PickleError::Truncated)?;
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(PickleError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// The text up to the end of the line.
    #[expect(clippy::indexing_slicing, reason = "the place was found in it")]
    fn line(&mut self) -> Done<&'a str> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').ok_or(PickleError::Truncated)?;
        let line = std::str::from_utf8(&self.rest[..end]);
        self.rest = &self.rest[end + 1..];
        line.map_err(|_| PickleError::Malformed("a line is not UTF-8"))
    }
}

const EMPTY: PickleError = PickleError::Malformed("a value is missing");

/// Makes values of the nodes, each time that one is referred to, as long as there is room.
struct Made<'m, 'a> {
    machine: &'m Machine<'a>,
    left: usize,
    replaced: u64,
}

impl<'a> Made<'_, 'a> {
    #[expect(clippy::indexing_slicing, reason = "places are of nodes that were made")]
    fn value(&mut self, place: Place, depth: usize) -> Done<Value<'a>> {
        let node = &self.machine.nodes[place];
        if depth >= DEEPEST && matches!(node, Node::List(_) | Node::Map(_)) {
            self.replaced += 1;
            return self.text("...".into());
        }
        Ok(match node {
            Node::Plain(Value::Text(text)) => return self.text(text.clone()),
            Node::Plain(value) => {
                self.spend(1)?;
                value.clone()
            }
            Node::Bytes(bytes) => return self.text(repr_of_bytes(bytes).into()),
            Node::List(items) => {
                self.spend(items.len() + 1)?;
                let items = items.iter().map(|item| self.value(*item, depth + 1));
                Value::List(items.collect::<Done<_>>()?)
            }
            Node::Map(items) => {
                self.spend(items.len() + 1)?;
                let mut map: Vec<(Cow<'a, str>, Value<'a>)> = Vec::with_capacity(items.len());
                for (key, value) in items {
                    let key = match self.value(*key, depth + 1)? {
                        Value::Text(text) => text,
                        other => other.to_string().into(),
                    };
                    map.push((key, self.value(*value, depth + 1)?));
                }
                Value::Map(map)
            }
            Node::Global(name) => return self.replacement(name, None),
            Node::Object(name, argument) => {
                let argument = argument.map(|argument| &self.machine.nodes[argument]);
                let argument = match argument {
                    Some(Node::Plain(argument)) => Some(argument.to_string()),
                    _ => None,
                };
                return self.replacement(name, argument);
            }
        })
    }

    fn replacement(&mut self, name: &str, argument: Option<String>) -> Done<Value<'a>> {
        self.replaced += 1;
        self.text(match argument {
            Some(argument) => format!("<{name} {argument}>").into(),
            None => format!("<{name}>").into(),
        })
    }

    fn text(&mut self, text: Cow<'a, str>) -> Done<Value<'a>> {
        self.spend(text.len() + 1)?;
        Ok(Value::Text(text))
    }

    fn spend(&mut self, bytes: usize) -> Done {
        self.left = self.left.checked_sub(bytes).ok_or(PickleError::TooLarge)?;
        Ok(())
    }
}
