package server_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// part is one part of a form.
type part struct{ name, file, text string }

// sendForm sends a form of parts.
func (b *bench) sendForm(parts ...part) answer {
	b.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, p := range parts {
		create := form.CreateFormField
		if p.file != "" {
			create = func(name string) (io.Writer, error) { return form.CreateFormFile(name, p.file) }
		}
		w, err := create(p.name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write([]byte(p.text)); err != nil {
			b.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		b.Fatal(err)
	}
	r := b.post(&body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return b.send(r)
}

func TestAFormThatIsNoUploadBreaksNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const query = `"query":"mutation($f: Upload!, $l: [Upload]) { uploadDocument(input: {idempotencyKey: \"k\", customerId: \"x\", kind: INVOICE, file: $f}) { document { name } } }"`
	operations := part{"operations", "", `{` + query + `,"variables":{"f":null,"l":[null]}}`}
	file := part{"0", "a.pdf", "%PDF"}
	place := func(path string) part { return part{"map", "", fmt.Sprintf(`{"0":[%q]}`, path)} }
	many := make([]string, 6)
	for i := range many {
		many[i] = fmt.Sprintf(`"%d":["variables.f"]`, i)
	}
	for name, parts := range map[string][]part{
		"no parts":                          {},
		"no operations":                     {place("variables.f"), file},
		"operations that are none":          {{"operations", "", "{"}, place("variables.f"), file},
		"operations that are a batch":       {{"operations", "", "[" + operations.text + "]"}, place("variables.f"), file},
		"operations without a query":        {{"operations", "", `{"variables":{"f":null}}`}, place("variables.f"), file},
		"operations without variables":      {{"operations", "", `{` + query + `}`}, place("variables.f"), file},
		"operations too large":              {{"operations", "", `{` + query + `,"x":"` + strings.Repeat("x", 300<<10) + `"}`}, place("variables.f"), file},
		"operations that are not UTF-8":     {{"operations", "", "{" + query + ",\"x\":\"\xff\"}"}, place("variables.f"), file},
		"no map":                            {operations, file},
		"a map that is none":                {operations, {"map", "", `{"0":"variables.f"}`}, file},
		"a map of nothing":                  {operations, {"map", "", `{"0":[]}`}, file},
		"a map of two places":               {operations, {"map", "", `{"0":["variables.f","variables.l.0"]}`}, file},
		"a map too large":                   {operations, {"map", "", `{"` + strings.Repeat("x", 20<<10) + `":["variables.f"]}`}, file},
		"too many files":                    {operations, {"map", "", "{" + strings.Join(many, ",") + "}"}, file},
		"no file":                           {operations, place("variables.f")},
		"a file that the map has not":       {operations, place("variables.f"), {"1", "a.pdf", "x"}},
		"a place outside of the variables":  {operations, place("query"), file},
		"a place that is empty":             {operations, place(""), file},
		"the variables themselves":          {operations, place("variables"), file},
		"a variable that is not there":      {operations, place("variables.x"), file},
		"a place in what is null":           {operations, place("variables.f.x"), file},
		"an entry beyond the list":          {operations, place("variables.l.9"), file},
		"an entry before the list":          {operations, place("variables.l.-1"), file},
		"an entry that is no number":        {operations, place("variables.l.x"), file},
		"a list itself":                     {operations, place("variables.l"), file},
		"a place in a place that is no map": {operations, place("variables.l.0.x"), file},
	} {
		got := b.sendForm(parts...)
		if got.status != http.StatusBadRequest || got.code() != "VALIDATION" || got.Data != nil {
			t.Errorf("%s: answered %d %s", name, got.status, got.text)
		}
	}
	if log := b.log.String(); strings.Contains(log, "panic") {
		t.Errorf("something panicked: %s", log)
	}
}

func TestAFileOfAnySizeArrivesWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.store.SaveCustomer(t.Context(), &lending.Customer{ID: "c1", FirstName: "Ada", CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Link(t.Context(), lending.Identity{CustomerID: "c1", Provider: lending.Kredmint, ExternalID: "9876543210", LinkedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	content := "%PDF-1.7" + strings.Repeat("0123456789", 200_000)
	query := fmt.Sprintf(`{"query":"mutation($f: Upload!) { uploadDocument(input: {idempotencyKey: \"k\", customerId: \"%s\", kind: INVOICE, invoiceNumber: \"1\", file: $f}) { document { name } userErrors { message } } }","variables":{"f":null}}`,
		lending.GlobalID(lending.CustomerNode, lending.CustomerID("c1")))
	got := b.sendForm(part{"operations", "", query}, part{"map", "", `{"0":["variables.f"]}`}, part{"0", "a.pdf", content})
	if !strings.Contains(got.text, `"a.pdf `+content+`"`) {
		t.Errorf("answered %d %.300s", got.status, got.text)
	}
}
