package service_test

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// uploadOf is a good upload of an invoice, with changes.
func uploadOf(customer lending.CustomerID, changes ...func(*service.UploadDocumentInput)) service.UploadDocumentInput {
	in := service.UploadDocumentInput{
		IdempotencyKey: "doc-1", CustomerID: gid(customer), Kind: lending.InvoiceDocument, InvoiceNumber: "INV-1",
		File: file("invoice.pdf", "%PDF-1.7 content"),
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

func file(name, content string) service.File {
	return service.File{Name: name, Size: int64(len(content)), Content: read(content)}
}

func TestADocumentIsSentWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	var told provider.Upload
	b.kredmint.upload = func(u provider.Upload) (lending.Document, error) {
		told = u
		content, err := io.ReadAll(u.Content)
		if string(content) != "%PDF-1.7 content" {
			t.Errorf("sent %q", content)
		}
		return lending.Document{ExternalID: "UDOC-1", Name: "invoice.pdf", URL: "https://s3.example/signed"}, err
	}
	result := b.done(b.service.UploadDocument(b.ctx, caller, uploadOf(customer, func(in *service.UploadDocumentInput) { in.File.Name = `C:\docs\invoice.pdf` })))
	b.status(result, lending.OpSucceeded)
	if told.Username != "9876543211" || told.ContentType != "application/pdf" || told.Name != "invoice.pdf" || told.InvoiceNumber != "INV-1" {
		t.Errorf("the provider was told %+v", told)
	}
	kept, err := b.store.Documents(b.ctx, []lending.DocumentID{result.Document.ID})
	b.must(err)
	same(b, kept[result.Document.ID], result.Document)
	again := b.done(b.service.UploadDocument(b.ctx, caller, uploadOf(customer)))
	same(b, *again, *result, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	other := b.done(b.service.UploadDocument(b.ctx, caller, uploadOf(customer, func(in *service.UploadDocumentInput) { in.File = file("invoice.pdf", "%PDF-1.7 other") })))
	b.wants(other, "IDEMPOTENCY_KEY_REUSED idempotencyKey")
}

func TestAFileHasToBeWhatItSays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	for name, test := range map[string]struct {
		kind lending.DocumentKind
		file service.File
		want []string
	}{
		"a PNG":                            {lending.InvoiceDocument, file("a.PNG", "\x89PNG\r\n\x1a\nrest"), nil},
		"a JPEG":                           {lending.InvoiceDocument, file("a.jpeg", "\xff\xd8\xff\xe0"), nil},
		"a table of figures":               {lending.FinancialDataDocument, file("a.csv", "a,b\n1,2\n"), nil},
		"figures as JSON":                  {lending.FinancialDataDocument, file("a.json", "{}"), nil},
		"a PDF of figures, as in the seed": {lending.FinancialDataDocument, file("a.pdf", "%PDF-1.4"), nil},
		"a program that says PDF":          {lending.InvoiceDocument, file("a.pdf", "MZ\x90\x00"), []string{"file"}},
		"zeros that say CSV":               {lending.FinancialDataDocument, file("a.csv", "a\x00b"), []string{"file"}},
		"a program":                        {lending.InvoiceDocument, file("a.exe", "MZ"), []string{"file"}},
		"a picture of figures":             {lending.FinancialDataDocument, file("a.png", "\x89PNG\r\n\x1a\n"), []string{"file"}},
		"no ending":                        {lending.InvoiceDocument, file("invoice", "%PDF-1.4"), []string{"file"}},
		"nothing":                          {lending.InvoiceDocument, file("a.pdf", ""), []string{"file"}},
		"no file":                          {lending.InvoiceDocument, service.File{Name: "a.pdf"}, []string{"file"}},
		"too much":                         {lending.InvoiceDocument, service.File{Name: "a.pdf", Size: service.MaxUpload + 1, Content: read("%PDF-")}, []string{"file"}},
		"another kind":                     {"SELFIE", file("a.pdf", "%PDF-1.4"), []string{"kind", "file"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			result := b.done(b.service.UploadDocument(b.ctx, caller, uploadOf(customer, func(in *service.UploadDocumentInput) {
				in.IdempotencyKey, in.Kind, in.File = b.id("doc"), test.kind, test.file
			})))
			b.wants(result, test.want...)
		})
	}
	b.wants(b.done(b.service.UploadDocument(b.ctx, caller, service.UploadDocumentInput{Kind: lending.InvoiceDocument})),
		"idempotencyKey", "customerId", "invoiceNumber", "file")
}

// registrationOf is a good registration, with changes.
func registrationOf(address string, changes ...func(*service.RegisterWebhookInput)) service.RegisterWebhookInput {
	in := service.RegisterWebhookInput{
		IdempotencyKey: "hook-1", Provider: lending.Kredete, URL: address,
		Events: []lending.EventType{lending.EventLoanDisbursed, lending.EventLoanCreated},
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

func TestAWebhookIsRegistered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var told provider.Registration
	b.kredete.register = func(r provider.Registration) (lending.Webhook, error) {
		told = r
		return lending.Webhook{ExternalID: "wh_1"}, nil
	}
	result := b.done(b.service.RegisterWebhook(b.ctx, caller, registrationOf("https://hooks.example.com/kredete")))
	b.status(result, lending.OpSucceeded)
	if told.Secret != "shared" || !told.Active || told.URL != "https://hooks.example.com/kredete" {
		t.Errorf("the provider was told %+v", told)
	}
	kept, err := b.store.Webhooks(b.ctx, []lending.WebhookID{result.Webhook.ID})
	b.must(err)
	same(b, kept[result.Webhook.ID], result.Webhook)
	if op := b.theOperation(result.Operation.ID); strings.Contains(string(op.Input)+string(op.Result), "shared") {
		t.Error("the secret was kept")
	}
	reordered := registrationOf("https://hooks.example.com/kredete", func(in *service.RegisterWebhookInput) {
		in.Events = []lending.EventType{lending.EventLoanCreated, lending.EventLoanDisbursed, lending.EventLoanCreated}
		in.Active = new(true)
	})
	again := b.done(b.service.RegisterWebhook(b.ctx, caller, reordered))
	same(b, *again, *result, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	b.wants(b.done(b.service.RegisterWebhook(b.ctx, caller, registrationOf("x", func(in *service.RegisterWebhookInput) {
		in.IdempotencyKey, in.Events, in.Provider = "", []lending.EventType{"NOISE"}, lending.Carbon
	}))), "idempotencyKey", "url", "events", "provider")
	b.wants(b.done(b.service.RegisterWebhook(b.ctx, caller, registrationOf("https://hooks.example.com", func(in *service.RegisterWebhookInput) { in.Events = nil }))), "events")
	b.serve(func(c *service.Config) { c.Settings.WebhookSecret = "" })
	b.wants(b.done(b.service.RegisterWebhook(b.ctx, caller, registrationOf("https://hooks.example.com"))), "provider")
}

func TestAddressesThatNewsMayBeSentTo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for address, good := range map[string]bool{
		"https://hooks.example.com/kredete":            true,
		"https://hooks.example.com:8443/a?b=c":         true,
		"https://HOOKS.Example.COM":                    true,
		"https://hooks.example.com./":                  true,
		"https://8.8.8.8/hook":                         true,
		"https://[2606:4700:4700::1111]/":              true,
		"https://xn--bcher-kva.example/":               true,
		"":                                             false,
		"hooks.example.com":                            false,
		"/webhooks":                                    false,
		"http://hooks.example.com":                     false,
		"ftp://hooks.example.com":                      false,
		"https://":                                     false,
		"https://user@hooks.example.com":               false,
		"https://user:password@hooks.example.com":      false,
		"https://hooks.example.com:443@127.0.0.1/":     false,
		"https://localhost":                            false,
		"https://localhost.":                           false,
		"https://LOCALHOST:8443":                       false,
		"https://a.localhost/":                         false,
		"https://localhost.localdomain":                false,
		"https://127.0.0.1":                            false,
		"https://127.0.0.1:443/hook":                   false,
		"https://127.0.0.1./":                          false,
		"https://127.1":                                false,
		"https://0x7f.1":                               false,
		"https://0x7f000001":                           false,
		"https://0177.0.0.1":                           false,
		"https://2130706433":                           false,
		"https://0":                                    false,
		"https://0.0.0.0":                              false,
		"https://[::]":                                 false,
		"https://[::1]":                                false,
		"https://[::1]:443/":                           false,
		"https://[::ffff:10.0.0.1]":                    false,
		"https://[::ffff:7f00:1]":                      false,
		"https://[::127.0.0.1]":                        false,
		"https://[64:ff9b::7f00:1]":                    false,
		"https://[2002:7f00:1::]":                      false,
		"https://[fe80::1]":                            false,
		"https://[fe80::1%25eth0]":                     false,
		"https://[fd00:ec2::254]":                      false,
		"https://[ff02::1]":                            false,
		"https://10.0.0.1":                             false,
		"https://172.16.5.4":                           false,
		"https://192.168.1.1":                          false,
		"https://100.100.100.200":                      false,
		"https://169.254.169.254/latest/meta-data":     false,
		"https://198.18.0.1":                           false,
		"https://224.0.0.1":                            false,
		"https://255.255.255.255":                      false,
		"https://metadata":                             false,
		"https://metadata.google.internal":             false,
		"https://metadata.google.internal./":           false,
		"https://metadata.goog":                        false,
		"https://instance-data.ec2.internal":           false,
		"https://printer.local":                        false,
		"https://db.corp":                              false,
		"https://router.home.arpa":                     false,
		"https://127.0.0.1.nip.io":                     false,
		"https://127-0-0-1.sslip.io":                   false,
		"https://10.0.0.1.xip.io":                      false,
		"https://anything.localtest.me":                false,
		"https://a..example.com":                       false,
		"https://hooks.example.com..":                  false,
		"https://.example.com":                         false,
		"https://hooks_internal.example.com":           false,
		"https://höoks.example.com":                    false,
		"https://１２７.0.0.1":                            false,
		"https://ⓛocalhost.com":                        false,
		"https://example。com":                          false,
		"https://exam%70le.com":                        false,
		"https://hooks.example.com:99999/":             false,
		"https://hooks.example.com:0/":                 false,
		"https://hooks.example.com:/":                  true,
		"https://hooks.example.com/\r\nX: y":           false,
		"https://example.com\\@127.0.0.1/":             false,
		"https://1.1.1.1.1":                            false,
		"https://" + strings.Repeat("a.", 990) + "com": false,
	} {
		t.Run(address, func(t *testing.T) {
			b := b.in(t)
			result := b.done(b.service.RegisterWebhook(b.ctx, caller, registrationOf(address, func(in *service.RegisterWebhookInput) { in.IdempotencyKey = b.id("hook") })))
			if good {
				b.wants(result)
				return
			}
			b.wants(result, "url")
		})
	}
}

func TestTheSandboxMayUseItsOwnAddress(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *service.Config) { c.Settings.AllowPrivateWebhooks = true })
	b.wants(b.done(b.service.RegisterWebhook(b.ctx, caller, registrationOf("http://127.0.0.1:8080/webhooks/kredete"))))
	b.wants(b.done(b.service.RegisterWebhook(b.ctx, caller, registrationOf("file:///etc/passwd"))), "url")
}
