package wire

import (
	"bytes"
	"encoding/json"
	"testing"
)

// Whoever decodes keeps the right to what was decoded: a webhook's body is hashed and stored as it came.
func TestDecodingLeavesTheBytesAlone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"rows":[{"n":"1"},{"n":"2"},{"n":"3"}],"more":true}`,
		`{"rows":[[1,2],[3,4]]}`,
		`{"rows":{"n":"1"}}`,
	} {
		data := []byte(body)
		var list struct {
			Rows List[struct {
				N Text `json:"n"`
			}] `json:"rows"`
		}
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, []byte(body)) {
			t.Errorf("decoding a list turned\n%s into\n%s", body, data)
		}
		var object struct {
			Rows Object[struct {
				N Text `json:"n"`
			}] `json:"rows"`
		}
		if err := json.Unmarshal(data, &object); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, []byte(body)) {
			t.Errorf("decoding an object turned\n%s into\n%s", body, data)
		}
	}
}
