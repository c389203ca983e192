package server

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

const (
	// maxUploads is how many files one request may carry.
	maxUploads = 5
	// maxUploadMap bounds the part that says where files belong.
	maxUploadMap = 16 << 10
)

// uploads carries operations with files, as the GraphQL multipart request specification says. Files wait in the
// temporary folder until the request is over.
type uploads struct{}

var _ graphql.Transport = uploads{}

// Supports implements graphql.Transport.
func (uploads) Supports(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && r.Method == http.MethodPost && mediaType == formType
}

// Do implements graphql.Transport.
func (uploads) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	mediaType, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		refuse(w, r, http.StatusNotAcceptable, "Accept "+graphqlType+" or "+jsonType+".")
		return
	}
	form := &uploadForm{}
	defer form.close()
	now := graphql.Now()
	params, err := form.read(r)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuseAs(w, r, mediaType, http.StatusRequestEntityTooLarge, invalid("The request is too large."))
		return
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		refuseAs(w, r, mediaType, http.StatusRequestTimeout, invalid("The request took too long to arrive."))
	case errors.Is(err, errUpload):
		refuseAs(w, r, mediaType, http.StatusBadRequest, errUpload)
	case err != nil: // of our own disk
		write(w, mediaType, http.StatusInternalServerError, failed(r.Context(), err))
	default:
		params.Headers, params.ReadTime = r.Header, graphql.TraceTiming{Start: now, End: graphql.Now()}
		perform(w, r, exec, params, mediaType)
	}
}

// errUpload is said of a form that is no upload.
var errUpload = invalid("Send the parts operations, map and then the files, as the GraphQL multipart request specification has it; at most %d files.", maxUploads)

// uploadForm is a form that is being read, with the files that it has brought.
type uploadForm struct{ files []*os.File }

// close removes the files.
func (f *uploadForm) close() {
	for _, file := range f.files {
		_ = errors.Join(file.Close(), os.Remove(file.Name())) // what stays behind is in the temporary folder
	}
}

// read reads a form's parts in the order that the specification has: operations, map, files.
func (f *uploadForm) read(r *http.Request) (*graphql.RawParams, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errUpload
	}
	operations, err := textPart(parts, "operations", maxRequestBody)
	if err != nil {
		return nil, err
	}
	var sent sentBody
	if tooManyValues(operations) || !isRequest(operations) || decodeNumbers(operations, &sent) != nil {
		return nil, errUpload
	}
	places, err := textPart(parts, "map", maxUploadMap)
	if err != nil {
		return nil, err
	}
	var where map[string][]string
	if tooManyValues(places) || json.Unmarshal(places, &where) != nil || len(where) > maxUploads {
		return nil, errUpload
	}
	params := named(&sent.RawParams, sent.DocumentID)
	if params == nil {
		return nil, errUpload
	}
	for len(where) > 0 {
		if err := f.take(parts, params, where); err != nil {
			return nil, err
		}
	}
	return params, nil
}

// take reads one file, and puts it where it belongs in the variables.
func (f *uploadForm) take(parts *multipart.Reader, params *graphql.RawParams, where map[string][]string) error {
	part, err := parts.NextPart()
	if err != nil {
		return notForm(err)
	}
	name := part.FormName()
	if len(where[name]) != 1 { // a file in two places would be read from both at once
		return errUpload
	}
	file, err := os.CreateTemp("", "creditgraph-upload-")
	if err != nil {
		return err
	}
	f.files = append(f.files, file)
	size, err := io.Copy(file, part)
	if err != nil {
		return notForm(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	upload := graphql.Upload{File: file, Size: size, Filename: part.FileName(), ContentType: part.Header.Get("Content-Type")}
	if !put(params.Variables, where[name][0], upload) {
		return errUpload
	}
	delete(where, name)
	return nil
}

// put sets the variable of a path, such as variables.input.file or variables.files.0, where there is null; false
// where there is none.
func put(variables map[string]any, path string, upload graphql.Upload) bool {
	steps := strings.Split(path, ".")
	if steps[0] != "variables" || len(steps) < 2 {
		return false
	}
	var at any = variables
	for i, step := range steps[1:] {
		last := i == len(steps)-2
		switch within := at.(type) {
		case map[string]any:
			value, there := within[step]
			if there && last && value == nil {
				within[step] = upload
				return true
			}
			at = value
		case []any:
			index, err := strconv.Atoi(step)
			if err != nil || index < 0 || index >= len(within) {
				return false
			}
			if last && within[index] == nil {
				within[index] = upload
				return true
			}
			at = within[index]
		default:
			return false
		}
	}
	return false
}

// textPart reads a part of text that has to come next.
func textPart(parts *multipart.Reader, name string, most int64) ([]byte, error) {
	part, err := parts.NextPart()
	if err != nil {
		return nil, notForm(err)
	}
	if part.FormName() != name {
		return nil, errUpload
	}
	text, err := io.ReadAll(io.LimitReader(part, most+1))
	switch {
	case err != nil:
		return nil, notForm(err)
	case int64(len(text)) > most || !utf8.Valid(text) || !json.Valid(text):
		return nil, errUpload
	}
	return text, nil
}

// notForm tells what keeps a form from being read: its end, its size and its slowness are the sender's.
func notForm(err error) error {
	tooLarge := (*http.MaxBytesError)(nil)
	if errors.As(err, &tooLarge) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if pathError := (*os.PathError)(nil); errors.As(err, &pathError) {
		return err
	}
	return errUpload
}
