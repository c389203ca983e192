package onepipe

import (
	"crypto/cipher"
	"encoding/base64"
	"testing"

	"pgregory.net/rapid"
)

const vectorSecret = "test_client_secret"

func TestSignVector(t *testing.T) {
	t.Parallel()
	if got, want := sign("REQ-0001", vectorSecret), "53b8e3ae8e8902bb9ed5aafc32028acb"; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestSealVectors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		encoding   SecureEncoding
		text, want string
	}{
		{UTF8, "1234567890;058", "TX3Dx+9yT7UBm5eO5pAeTQ=="},
		{UTF16LE, "1234567890;058", "xptVQ4pYTxtq31QKxS7Q1nkTrfXids1vJlsb7yHHnXE="},
		{UTF8, "123456", "kD1O0f3SC38="},
		{UTF16LE, "123456", "xptVQ4pYTxveKXIszcLO0w=="},
	} {
		t.Run(string(test.encoding)+" "+test.text, func(t *testing.T) {
			t.Parallel()
			s, err := newSealer(vectorSecret, test.encoding)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.seal(test.text); got != test.want {
				t.Errorf("sealed %s, want %s", got, test.want)
			}
		})
	}
}

// Whatever is sealed can be opened again with the same key, and has a whole block of padding at the most.
func TestSealCanBeOpened(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := newSealer(rapid.StringN(1, 40, -1).Draw(t, "secret"), rapid.SampledFrom([]SecureEncoding{UTF8, UTF16LE}).Draw(t, "encoding"))
		if err != nil {
			t.Fatal(err)
		}
		text := rapid.String().Draw(t, "text")
		data, err := base64.StdEncoding.DecodeString(s.seal(text))
		if err != nil {
			t.Fatal(err)
		}
		cipher.NewCBCDecrypter(s.block, make([]byte, s.block.BlockSize())).CryptBlocks(data, data)
		padding := int(data[len(data)-1])
		if padding < 1 || padding > s.block.BlockSize() {
			t.Fatalf("padding of %d", padding)
		}
		if got := data[:len(data)-padding]; string(got) != string(s.encode(text)) {
			t.Fatalf("opened to %q, want %q", got, s.encode(text))
		}
	})
}
