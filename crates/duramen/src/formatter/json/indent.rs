//! JSON on many lines, in the form that Python's `json.dumps(…, indent=…)` has.

/// Appends `line`, an object as this crate writes it, with each member and element on a line of its own and `indent`
/// before it for each level.
pub(super) fn write(line: &[u8], indent: &str, out: &mut Vec<u8>) {
    let mut depth = 0;
    let mut in_text = false;
    let mut bytes = line.iter().copied().peekable();
    let break_line = |depth: usize, out: &mut Vec<u8>| {
        out.push(b'\n');
        for _ in 0..depth {
            out.extend_from_slice(indent.as_bytes());
        }
    };
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_text => {
                out.push(byte);
                out.extend(bytes.next());
                continue;
            }
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                out.push(byte);
                if let Some(end) = bytes.next_if(|next| matches!(next, b'}' | b']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    break_line(depth, out);
                }
                continue;
            }
            b'}' | b']' if !in_text => {
                depth = depth.saturating_sub(1);
                break_line(depth, out);
            }
            b',' if !in_text => {
                out.push(byte);
                bytes.next_if_eq(&b' ');
                break_line(depth, out);
                continue;
            }
            _ => {}
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn members_have_lines_of_their_own_and_texts_stay() {
        let mut out = Vec::new();
        let line = br#"{"a": [1, {"b": "x, \\\"{[", "c": {}}], "d": []}"#;
        super::write(line, "  ", &mut out);
        let expected = "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x, \\\\\\\"{[\",\n      \"c\": {}\n    }\n  ],\n  \"d\": []\n}";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
    }
}
