package kredmint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

const (
	// bucket is where documents would lie; nobody can be reached there.
	bucket = "https://kredmint-user-doc.example.com/"
	// urlLife is how long a document's URL is good for.
	urlLife = 24 * time.Hour
	// maxField is the most bytes of a text field of a form.
	maxField = 4 << 10
)

// upload is a form with one file.
type upload struct {
	fields  map[string]string
	name    string // of the file, "" where there is none
	content []byte
}

// errUpload says that a form cannot be read, or is too large.
var errUpload = errors.New("no form with a file")

// readUpload reads a multipart form as a whole.
func readUpload(r *http.Request) (*upload, error) {
	r.Body = io.NopCloser(io.LimitReader(r.Body, twin.MaxBody))
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUpload, err)
	}
	u := &upload{fields: map[string]string{}}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return u, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUpload, err)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUpload, err)
		}
		switch {
		case part.FormName() == "file":
			u.name, u.content = part.FileName(), value
		case len(value) > maxField:
			return nil, fmt.Errorf("%w: a field is too long", errUpload)
		default:
			u.fields[part.FormName()] = string(value)
		}
	}
}

// fingerprint recognises the same form: boundaries differ each time, so the body will not do.
func (u *upload) fingerprint() string {
	var all bytes.Buffer
	for _, name := range []string{"username", "invoiceNumber", "docType"} {
		fmt.Fprintf(&all, "%q", u.fields[name])
	}
	fmt.Fprintf(&all, "%q", u.name)
	all.Write(u.content)
	return twin.Fingerprint(all.Bytes())
}

// missing names what a form lacks; the file is always needed.
func (u *upload) missing(fields ...string) []string {
	values := make([][2]string, len(fields))
	for i, field := range fields {
		values[i] = [2]string{field, u.fields[field]}
	}
	return empty(append(values, [2]string{"file", u.name}))
}

// supported reports whether a file has a name of a known kind, or of none, as in one of the seed's samples.
func supported(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case "", ".csv", ".json", ".pdf", ".xls", ".xlsx":
		return true
	}
	return false
}

// uploadDocument takes a document for underwriting. docPassword is not kept.
func (t *Twin) uploadDocument(w http.ResponseWriter, r *http.Request) {
	u, err := readUpload(r)
	if err != nil {
		t.refuse(w, r, http.StatusBadRequest)
		return
	}
	if missing := u.missing("docType", "username"); missing != nil {
		t.badRequest(w, missing...)
		return
	}
	switch {
	case u.fields["docType"] != "FINANCIAL_DATA":
		t.badRequest(w, "docType")
	case !isUsername(u.fields["username"]):
		t.badRequest(w, "username")
	case !supported(u.name):
		t.badRequest(w, "file")
	default:
		owner, id, relative := t.keep(u, "document.upload", "")
		now := t.millis()
		t.succeed(w, document{
			ID: id, CreatedBy: owner, CreatedAt: now, ModifiedAt: now, ModifiedBy: owner,
			URL: bucket + relative, UserID: owner, Name: u.name, RelativeURL: relative, Type: "FINANCIAL_DATA",
			URLExpiresAt: t.expiry(), SeqPrefix: "UDOC-",
		})
	}
}

// uploadInvoice takes an invoice as a document. Whether the invoice was paid is not asked: the seed names no
// refusal for it.
func (t *Twin) uploadInvoice(w http.ResponseWriter, r *http.Request) {
	u, err := readUpload(r)
	if err != nil {
		t.refuse(w, r, http.StatusBadRequest)
		return
	}
	missing := u.missing("username", "invoiceNumber")
	if missing == nil && !isUsername(u.fields["username"]) {
		missing = []string{"username"}
	}
	if missing != nil {
		t.badRequest(w, missing...)
		return
	}
	owner, id, relative := t.keep(u, "invoice.upload", u.fields["invoiceNumber"])
	twin.WriteJSON(w, http.StatusOK, uploadAnswer{
		Payload: invoiceDocument{
			ID: id, URL: bucket + relative + "?" + t.presigned(relative), UserID: owner, Name: u.name,
			RelativeURL: relative, Type: "INVOICE", URLExpiresAt: t.expiry(),
		},
		Sum: nothing, Timestamp: t.millis(),
	})
}

// keep notes an upload and gives it an id and a place: "USR-2255/NGZvOf-TaxInvoice.pdf". The file itself is
// not kept.
func (t *Twin) keep(u *upload, operation, key string) (owner, id, relative string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	owner = t.userOf(u.fields["username"]).id
	n := next(&t.serial.document)
	id = fmt.Sprintf("UDOC-%d", n)
	name := strings.ReplaceAll(path.Base(u.name), " ", "_")
	relative = owner + "/" + letters(hash("document", n))[:6] + "-" + name
	if key == "" {
		key = owner
	}
	t.core.Effects.Record(twin.Effect{Operation: operation, Key: key, EntityID: id, Fingerprint: u.fingerprint()})
	return owner, id, relative
}

func (t *Twin) expiry() int64 { return t.options.Clock().Add(urlLife).UnixMilli() }

// presigned is the query of a URL that whoever holds it can open, in the form of the seed's.
func (t *Twin) presigned(relative string) string {
	now := t.options.Clock().UTC()
	return "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=" + now.Format("20060102T150405Z") +
		"&X-Amz-SignedHeaders=host&X-Amz-Expires=86399&X-Amz-Credential=SANDBOX%2F" + now.Format("20060102") +
		"%2Fap-south-1%2Fs3%2Faws4_request&X-Amz-Signature=" + hash(relative, 0)
}
