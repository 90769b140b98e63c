//! The secret that the codes of an audit trail are made with.

use std::fmt;
use std::path::Path;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::line::hex;
use crate::rotation::InvalidOption;

/// A shorter key is refused: it could be guessed (RFC 2104 advises against keys shorter than the hash, 32 bytes).
const SHORTEST: usize = 16;

/// The key of an audit trail. Who has it can write a trail that is found to be whole; its bytes are shown nowhere.
///
/// ```
/// use duramen::writer::audit::AuditKey;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("key");
/// std::fs::write(&path, "0123456789abcdef\n")?;
/// let key = AuditKey::from_file(&path)?;
/// assert_eq!(key.id(), AuditKey::new(b"0123456789abcdef")?.id()); // the same bytes
/// let error = AuditKey::from_environment("SHOP_AUDIT_KEY").unwrap_err();
/// assert!(error.to_string().starts_with("key_env: found \"SHOP_AUDIT_KEY\""), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AuditKey {
    mac: Hmac<Sha256>,
    id: String,
}

impl AuditKey {
    /// The key with these bytes, which are 16 at least.
    ///
    /// # Errors
    /// [`InvalidOption`] for a shorter one.
    pub fn new(bytes: &[u8]) -> Result<Self, InvalidOption> {
        Self::named("key", bytes)
    }

    /// The key in the environment variable `name`: the bytes of its text.
    ///
    /// # Errors
    /// [`InvalidOption`] for `key_env`, when it is not set or too short.
    pub fn from_environment(name: &str) -> Result<Self, InvalidOption> {
        let missing = || InvalidOption::new("key_env", format!("{name:?}, which is not set"), EXPECTED);
        let text = std::env::var_os(name).ok_or_else(missing)?;
        Self::named("key_env", text.as_encoded_bytes())
    }

    /// The key in the file `path`: its bytes without a line break at the end.
    ///
    /// # Errors
    /// [`InvalidOption`] for `key_file`, when it cannot be read or is too short.
    #[expect(clippy::indexing_slicing, reason = "the place was found in it")]
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, InvalidOption> {
        let path = path.as_ref();
        let unreadable =
            |error| InvalidOption::new("key_file", format!("{}: {error}", path.display()), EXPECTED);
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let end = bytes.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
        Self::named("key_file", &bytes[..end])
    }

    #[expect(clippy::indexing_slicing, reason = "a hash is longer")]
    fn named(option: &'static str, bytes: &[u8]) -> Result<Self, InvalidOption> {
        let too_short = || InvalidOption::new(option, format!("{} bytes", bytes.len()), EXPECTED);
        if bytes.len() < SHORTEST {
            return Err(too_short());
        }
        let mac = Hmac::<Sha256>::new_from_slice(bytes).map_err(|_| too_short())?;
        let id = mac.clone().chain_update(b"the name of the key of an audit trail").finalize().into_bytes();
        Ok(Self { mac, id: hex(&id[..4]) })
    }

    /// What the key is called in a trail: it tells keys apart and says nothing of their bytes.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn mac(&self) -> Hmac<Sha256> {
        self.mac.clone()
    }
}

const EXPECTED: &str = "a key of at least 16 bytes";

impl fmt::Debug for AuditKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AuditKey({})", self.id)
    }
}
