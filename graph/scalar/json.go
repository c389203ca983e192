package scalar

import (
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/internal/service"
)

var (
	errJSON   = invalid("must be a JSON value")
	errUpload = invalid("must be a file, sent as a part of a multipart request")
)

// MarshalJSON writes JSON as it is. Nothing is null, and so is text that is no JSON: it would break the
// response around it.
func MarshalJSON(v []byte) graphql.Marshaler {
	if len(v) == 0 || !json.Valid(v) {
		return graphql.Null
	}
	return raw(v)
}

// UnmarshalJSON reads any JSON value; null is nil.
func UnmarshalJSON(v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, errJSON
	}
	return text, nil
}

// MarshalUpload writes null: files are only taken in.
func MarshalUpload(service.File) graphql.Marshaler { return graphql.Null }

// UnmarshalUpload reads a file that the multipart transport has put in the place of its variable.
func UnmarshalUpload(v any) (service.File, error) {
	upload, ok := v.(graphql.Upload)
	if !ok || upload.File == nil {
		return service.File{}, errUpload
	}
	return service.File{
		Name: upload.Filename, ContentType: upload.ContentType, Size: upload.Size, Content: upload.File,
	}, nil
}
