package onepipe

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/md5"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// errNotSecure says that a text is no ciphertext under the app's secret.
var errNotSecure = errors.New("auth.secure cannot be decrypted")

// signature is what the header Signature has to say: the MD5 of "request_ref;client_secret", in hex.
func signature(requestRef, secret string) string {
	sum := md5.Sum([]byte(requestRef + ";" + secret))
	return hex.EncodeToString(sum[:])
}

// equal compares without telling by its duration how much of the text was right.
func equal(got, want string) bool { return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1 }

// decrypt opens auth.secure: base64 of DES-EDE3-CBC with a zero IV and PKCS7 padding. The key is the MD5 of
// the secret in UTF-16LE, followed by its own first eight bytes. Apps in the field encode the text as
// UTF-8 or as UTF-16LE; both are read.
func decrypt(encoded, secret string) (string, error) {
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(sealed) == 0 || len(sealed)%des.BlockSize != 0 {
		return "", errNotSecure
	}
	digest := md5.Sum(utf16LE(secret))
	block, err := des.NewTripleDESCipher(append(digest[:], digest[:des.BlockSize]...))
	if err != nil {
		return "", errNotSecure
	}
	opened := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(block, make([]byte, des.BlockSize)).CryptBlocks(opened, sealed)
	if opened, err = unpad(opened); err != nil {
		return "", err
	}
	return plainText(opened)
}

// unpad takes PKCS7 padding off.
func unpad(text []byte) ([]byte, error) {
	n := int(text[len(text)-1])
	if n == 0 || n > des.BlockSize || n > len(text) {
		return nil, errNotSecure
	}
	for _, b := range text[len(text)-n:] {
		if int(b) != n {
			return nil, errNotSecure
		}
	}
	return text[:len(text)-n], nil
}

// plainText tells the two encodings apart: what apps encrypt is printable ASCII, whose every second byte is
// zero in UTF-16LE and never in UTF-8.
func plainText(text []byte) (string, error) {
	if len(text) >= 2 && len(text)%2 == 0 && text[1] == 0 {
		units := make([]uint16, len(text)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(text[2*i:])
		}
		text = []byte(string(utf16.Decode(units)))
	}
	if !utf8.Valid(text) {
		return "", errNotSecure
	}
	return string(text), nil
}

func utf16LE(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}
