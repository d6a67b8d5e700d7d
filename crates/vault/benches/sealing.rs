//! Seal and open per second, beside the raw cipher of the payload over the same sizes.
//!
//! The raw rate includes what every use of it must do: draw a nonce, set up the key, and put the
//! ciphertext into a buffer of its own. Sizes: a password, a private key, an attachment.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use latchkey_kernel::id::{AccountId, SecretId, WorkspaceId};
use latchkey_kernel::{Entropy, OsEntropy, Timestamp};
use latchkey_vault::{Keys, Place, SecretKind, WorkspaceKey};

const SIZES: [usize; 4] = [24, 2 << 10, 64 << 10, 1 << 20];

fn main() {
    divan::main();
}

fn entropy() -> &'static dyn Entropy {
    &OsEntropy
}

fn key_and_place() -> (WorkspaceKey, Place) {
    let now = Timestamp::from_micros(0);
    let workspace = WorkspaceId::fresh(now, entropy());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (keys, _) = Keys::ephemeral(entropy());
    let made = runtime.block_on(keys.new_workspace_key(workspace, 1, entropy()));
    let place = Place {
        workspace,
        account: AccountId::fresh(now, entropy()),
        secret: SecretId::fresh(now, entropy()),
        version: 1,
        kind: SecretKind::Password,
    };
    (made.expect("a key in memory").0, place)
}

#[divan::bench(args = SIZES)]
fn seal(bencher: Bencher<'_, '_>, size: usize) {
    let (key, place) = key_and_place();
    let plain = vec![7; size];
    bencher.counter(ItemsCount::new(1_usize)).bench(|| key.seal(&place, black_box(&plain), entropy()));
}

#[divan::bench(args = SIZES)]
fn seal_raw(bencher: Bencher<'_, '_>, size: usize) {
    let key = entropy().bytes::<32>();
    let plain = vec![7; size];
    bencher.counter(ItemsCount::new(1_usize)).bench(|| {
        let nonce = XNonce::from(entropy().bytes::<24>());
        let payload = Payload { msg: black_box(&plain), aad: &[7; 64] };
        XChaCha20Poly1305::new((&key).into()).encrypt(&nonce, payload)
    });
}

#[divan::bench(args = SIZES)]
fn open(bencher: Bencher<'_, '_>, size: usize) {
    let (key, place) = key_and_place();
    let sealed = key.seal(&place, &vec![7; size], entropy());
    bencher.counter(ItemsCount::new(1_usize)).bench(|| key.open(&place, black_box(&sealed)));
}

#[divan::bench(args = SIZES)]
fn open_raw(bencher: Bencher<'_, '_>, size: usize) {
    let (key, nonce) = (entropy().bytes::<32>(), XNonce::from(entropy().bytes::<24>()));
    let cipher = || XChaCha20Poly1305::new((&key).into());
    let payload = Payload { msg: &vec![7; size], aad: &[7; 64] };
    let sealed = cipher().encrypt(&nonce, payload).expect("short enough");
    bencher.counter(ItemsCount::new(1_usize)).bench(|| {
        let payload = Payload { msg: black_box(&sealed), aad: &[7; 64] };
        cipher().decrypt(&nonce, payload)
    });
}

#[divan::bench]
fn rewrap(bencher: Bencher<'_, '_>) {
    let (key, place) = key_and_place();
    let sealed = key.seal(&place, &[7; 24], entropy());
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| key.rewrap(&key, &place, black_box(&sealed), entropy()));
}
