package kredmint_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestADocumentIsUploaded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	user := b.world.Person(0).CreditLine.UserID
	status, envelope := b.upload("/user/document/upload", "Tax Invoice.pdf", map[string]string{
		"docType": "FINANCIAL_DATA", "username": b.mobile(0), "userId": "USR-111", "docPassword": "hush",
	})
	stamp := json.Number("1776416400000")
	payload, _ := envelope["payload"].(map[string]any)
	relative, _ := payload["relativeUrl"].(string)
	want := map[string]any{
		"id": "UDOC-5018", "createdBy": user, "creationDate": stamp, "lastModifiedDate": stamp, "lastModifiedBy": user,
		"url": "https://kredmint-user-doc.example.com/" + relative, "userId": user, "name": "Tax Invoice.pdf",
		"relativeUrl": relative, "documentType": "FINANCIAL_DATA", "urlExpiryDate": json.Number("1776502800000"),
		"seqPrefix": "UDOC-",
	}
	if diff := cmp.Diff(want, payload); diff != "" || status != http.StatusOK {
		t.Errorf("HTTP %d %s", status, diff)
	}
	if !strings.HasPrefix(relative, user+"/") || !strings.HasSuffix(relative, "-Tax_Invoice.pdf") {
		t.Errorf("relativeUrl %s", relative)
	}
	if failure, there := envelope["error"]; !there || failure != nil {
		t.Errorf("envelope %v", envelope)
	}
	if got := b.effects("document.upload"); len(got) != 1 || got[0].EntityID != "UDOC-5018" {
		t.Errorf("effects %v", got)
	}
}

func TestAnInvoiceIsUploadedAndAnsweredWithoutError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	status, envelope := b.upload("/account/invoice/upload", "Screenshot 2023-11-22.png",
		map[string]string{"username": "959579", "invoiceNumber": "543354123253"})
	if _, there := envelope["error"]; there || status != http.StatusOK || len(envelope) != 3 {
		t.Errorf("HTTP %d %v", status, envelope)
	}
	payload, _ := envelope["payload"].(map[string]any)
	url, _ := payload["url"].(string)
	if payload["documentType"] != "INVOICE" || payload["name"] != "Screenshot 2023-11-22.png" || len(payload) != 7 ||
		!strings.Contains(url, "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260417T090000Z&") ||
		!strings.Contains(url, "&X-Amz-Signature=") {
		t.Errorf("payload %v", payload)
	}
	if got := b.effects("invoice.upload"); len(got) != 1 || got[0].Key != "543354123253" {
		t.Errorf("effects %v", got)
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	document := map[string]string{"docType": "FINANCIAL_DATA", "username": "9887206895"}
	invoice := map[string]string{"username": "959579", "invoiceNumber": "1"}
	endless := strings.Repeat("x", 5000)
	without := func(from map[string]string, field, value string) map[string]string {
		with := map[string]string{field: value}
		for name, v := range from {
			if name != field {
				with[name] = v
			}
		}
		return with
	}
	for name, test := range map[string]struct {
		path, file string
		fields     map[string]string
	}{
		"no file":                 {"/user/document/upload", "", document},
		"an unknown kind of file": {"/user/document/upload", "a.exe", document},
		"no docType":              {"/user/document/upload", "a.csv", without(document, "docType", "")},
		"another docType":         {"/user/document/upload", "a.csv", without(document, "docType", "INVOICE")},
		"nobody's document":       {"/user/document/upload", "a.csv", without(document, "username", "")},
		"a field without end":     {"/user/document/upload", "a.csv", without(document, "docPassword", endless)},
		"no invoice":              {"/account/invoice/upload", "", invoice},
		"no invoiceNumber":        {"/account/invoice/upload", "a.pdf", without(invoice, "invoiceNumber", "")},
		"nobody's invoice":        {"/account/invoice/upload", "a.pdf", without(invoice, "username", "me")},
	} {
		t.Run(name, func(t *testing.T) {
			status, envelope := b.upload(test.path, test.file, test.fields)
			if status != http.StatusBadRequest || envelope["error"] == nil {
				t.Errorf("HTTP %d %v", status, envelope)
			}
		})
	}
	if status, _ := b.post("/user/document/upload", "{}"); status != http.StatusBadRequest {
		t.Errorf("JSON instead of a form: HTTP %d", status)
	}
	if got := b.effects(""); len(got) != 0 {
		t.Errorf("effects %v", got)
	}
}
