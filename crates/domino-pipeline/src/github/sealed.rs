//! Encrypts the value of a secret on this machine, as libsodium's sealed box: only the owner of the private key can
//! open it, and nobody can tell who encrypted it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domino_core::error::{CommandError, Exit};
use domino_core::github::PublicKey;
use dryoc::dryocbox::{DryocBox, PublicKey as X25519};
use secrecy::{ExposeSecret, SecretString};

/// The encrypted value, in base64.
pub(super) fn seal(value: &SecretString, key: &PublicKey) -> Result<String, CommandError> {
    let unusable = |problem: String| {
        let error = format!("GitHub's key `{}` seals nothing: {problem}", key.key_id);
        CommandError::new(Exit::Unreachable, error).hint("run this again; nothing was sent")
    };
    let bytes = STANDARD
        .decode(&key.key)
        .map_err(|problem| unusable(problem.to_string()))?;
    let public = X25519::try_from(&bytes[..]).map_err(|problem| unusable(problem.to_string()))?;
    let sealed = DryocBox::seal_to_vecbox(value.expose_secret().as_bytes(), &public)
        .map_err(|problem| unusable(problem.to_string()))?;
    Ok(STANDARD.encode(sealed.to_vec()))
}

#[cfg(test)]
mod tests {
    use dryoc::dryocbox::{StackKeyPair as KeyPair, VecBox};

    use super::*;

    fn key(key: &str) -> PublicKey {
        PublicKey {
            key_id: "7".into(),
            key: key.into(),
        }
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_private_half_only() {
        let pair = KeyPair::generate();
        let public = STANDARD.encode(&pair.public_key);
        let value: SecretString = "canary-token-1".to_owned().into();
        let sealed = seal(&value, &key(&public)).unwrap();
        assert_ne!(sealed, seal(&value, &key(&public)).unwrap());
        let opened = |pair: &KeyPair| {
            let bytes = STANDARD.decode(&sealed).unwrap();
            VecBox::from_sealed_bytes(&bytes).unwrap().open_to_vec(pair)
        };
        assert_eq!(opened(&pair).unwrap(), b"canary-token-1");
        assert!(opened(&KeyPair::generate()).is_err());
    }

    /// Made by libsodium itself (PyNaCl 1.6), for the key of the bytes 1 to 32.
    #[test]
    fn it_is_the_box_that_libsodium_makes() {
        let secret: Vec<u8> = (1..=32).collect();
        let pair = KeyPair::from_secret_key(secret.as_slice().try_into().unwrap());
        let public = STANDARD.encode(&pair.public_key);
        assert_eq!(public, "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=");
        let theirs = "Ysn1DtWwaBF8qHjl2Af23wKBAb0/TP91Vc0ehyMTHAk98yE7NTYeHxpRlnFm7G6o24zIfQZ2sWas5CDMRT8ab7Jhw4+W";
        let bytes = STANDARD.decode(theirs).unwrap();
        let opened = VecBox::from_sealed_bytes(&bytes)
            .unwrap()
            .open_to_vec(&pair);
        assert_eq!(opened.unwrap(), b"what libsodium sealed");
    }

    #[test]
    fn a_key_that_is_none_is_named_and_the_value_is_not() {
        for wrong in ["", "AAAA", "no base64!"] {
            let value: SecretString = "canary-token-1".to_owned().into();
            let error = seal(&value, &key(wrong)).unwrap_err();
            assert!(error.to_string().contains("key `7`"), "{error}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
