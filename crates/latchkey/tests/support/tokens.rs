//! The text of tokens.

/// CRC-32 in base 62, six digits: how a token's text ends, so that scanners find leaked ones.
pub(crate) fn checksum(text: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let mut rest = !crc as usize;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest % 62];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// A token of the right shape, checksum and all, that nobody has.
pub(crate) fn unknown(prefix: &str) -> String {
    let body = format!("{prefix}{}", "0".repeat(43));
    format!("{body}{}", checksum(&body))
}
