package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// pagePolicy is explorerPolicy with the hash of the page's one script.
var pagePolicy = fmt.Sprintf(explorerPolicy, scriptHash(explorerPage))

func scriptHash(page []byte) string {
	_, rest, _ := bytes.Cut(page, []byte("<script>"))
	script, _, _ := bytes.Cut(rest, []byte("</script>"))
	sum := sha256.Sum256(script)
	return base64.StdEncoding.EncodeToString(sum[:])
}
