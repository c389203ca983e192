package onepipe

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"unicode/utf16"
)

// MD5 and Triple DES are what OnePipe's wire asks for; nobody would choose them today. All of both is in
// this file, and what keeps a request secret on its way is TLS.

// sign is the Signature header: the hex MD5 of the request's reference and the client secret.
func sign(requestRef, clientSecret string) string {
	sum := md5.Sum([]byte(requestRef + ";" + clientSecret))
	return hex.EncodeToString(sum[:])
}

// sealer encrypts what authorises a request: DES-EDE3-CBC with a zero vector and PKCS #7 padding, as
// OnePipe's own samples do it.
type sealer struct {
	block  cipher.Block
	encode func(string) []byte
}

// newSealer derives the key from the client secret: the MD5 of its UTF-16LE form, followed by that sum's
// first eight bytes. encoding is how plaintext becomes bytes, on which OnePipe's samples disagree.
func newSealer(clientSecret string, encoding SecureEncoding) (*sealer, error) {
	sum := md5.Sum(utf16le(clientSecret))
	block, err := des.NewTripleDESCipher(append(sum[:], sum[:8]...))
	if err != nil {
		return nil, fmt.Errorf("triple DES: %w", err)
	}
	s := &sealer{block: block, encode: utf16le}
	if encoding == UTF8 {
		s.encode = func(text string) []byte { return []byte(text) }
	}
	return s, nil
}

// seal is the base64 of the encrypted text.
func (s *sealer) seal(text string) string {
	data := s.encode(text)
	padding := des.BlockSize - len(data)%des.BlockSize
	data = append(data, bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(s.block, make([]byte, des.BlockSize)).CryptBlocks(data, data)
	return base64.StdEncoding.EncodeToString(data)
}

func utf16le(text string) []byte {
	var data []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}
