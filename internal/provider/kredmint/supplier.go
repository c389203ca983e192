package kredmint

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

const supplierPath = "/account/supplier"

// supplierRequest is the body of "Create New Distributor / Supplier". The table of the documentation
// leaves the e-mail's name out; its examples have it.
type supplierRequest struct {
	Username          string `json:"username"`
	AccountHolderName string `json:"accountHolderName"`
	AccountNumber     string `json:"accountNumber"`
	IFSC              string `json:"ifsc"`
	BankName          string `json:"bankName"`
	BranchName        string `json:"branchName"`
	GSTIN             string `json:"gstin,omitempty"`
	SupplierName      string `json:"supplierName"`
	Mobile            string `json:"mobile"`
	Email             string `json:"email,omitempty"`
}

// supplier is a supplier as Kredmint answers it. The bank account does not come back, only its id.
type supplier struct {
	ID             wire.Text   `json:"id"`
	CreationDate   wire.Number `json:"creationDate"`
	Mobile         wire.Text   `json:"mobile"`
	GSTIN          wire.Text   `json:"gstin"`
	SupplierName   wire.Text   `json:"supplierName"`
	SupplierBankID wire.Text   `json:"supplierBankId"`
	Status         wire.Text   `json:"status"`
	Email          wire.Text   `json:"email"`
}

// CreateSupplier makes a supplier. Kredmint would make a second one of the same request: after a lost
// answer the list tells whether there is one.
func (c *client) CreateSupplier(ctx context.Context, input provider.NewSupplier) (lending.Supplier, error) {
	if err := checkSupplier(input); err != nil {
		return lending.Supplier{}, err
	}
	answer, err := c.callJSON(ctx, c.account, provider.Write, supplierPath, supplierRequest{
		Username: national(input.Username), AccountHolderName: input.Account.AccountName,
		AccountNumber: input.Account.AccountNumber, IFSC: input.Account.IFSC,
		BankName: input.Account.BankName, BranchName: input.Account.BranchName,
		GSTIN: input.TaxID, SupplierName: input.Name, Mobile: national(input.Mobile), Email: input.Email,
	})
	if err != nil {
		return lending.Supplier{}, err
	}
	payload, err := payloadOf[supplier](provider.Write, answer)
	if err != nil {
		return lending.Supplier{}, err
	}
	if identifier(payload.ID) == "" {
		return lending.Supplier{}, garbled(provider.Write, "a supplier without an id")
	}
	return c.supplier(payload), nil
}

// checkSupplier refuses what cannot work before anything is sent: the fields that Kredmint's table calls
// mandatory.
func checkSupplier(input provider.NewSupplier) error {
	var problems []lending.Problem
	for _, field := range []struct {
		value string
		path  []string
	}{
		{input.Username, []string{"username"}},
		{input.Name, []string{"name"}},
		{input.Mobile, []string{"mobile"}},
		{input.Account.AccountName, []string{"bankAccount", "accountHolderName"}},
		{input.Account.AccountNumber, []string{"bankAccount", "accountNumber"}},
		{input.Account.IFSC, []string{"bankAccount", "ifsc"}},
		{input.Account.BankName, []string{"bankAccount", "bankName"}},
		{input.Account.BranchName, []string{"bankAccount", "branchName"}},
	} {
		if field.value == "" {
			problems = append(problems, required(field.path...))
		}
	}
	return invalid(problems...)
}

// Suppliers lists a customer's suppliers. One without an id is left out, with a warning: nothing could be
// done with it.
func (c *client) Suppliers(ctx context.Context, username string) ([]lending.Supplier, error) {
	if username == "" {
		return nil, invalid(required("username"))
	}
	answer, err := c.call(ctx, c.account, provider.Read, restclient.Request{
		Method: http.MethodGet, Path: supplierPath, Query: url.Values{"username": {national(username)}},
	})
	if err != nil {
		return nil, err
	}
	if len(answer.Payload) == 0 {
		return nil, garbled(provider.Read, "no payload")
	}
	var listed wire.List[supplier]
	if json.Unmarshal(answer.Payload, &listed) != nil || len(listed.Items) == 0 && listed.Skipped > 0 {
		return nil, garbled(provider.Read, "a payload of another shape")
	}
	if listed.Skipped > 0 {
		c.odd.Value("suppliers that cannot be read are left out", "payload")
	}
	suppliers := make([]lending.Supplier, 0, len(listed.Items))
	for _, one := range listed.Items {
		if identifier(one.ID) == "" {
			c.odd.Value("a supplier without an id is left out", "id")
			continue
		}
		suppliers = append(suppliers, c.supplier(one))
	}
	return suppliers, nil
}

func (r *reader) supplier(s supplier) lending.Supplier {
	return lending.Supplier{
		Provider: lending.Kredmint, ExternalID: identifier(s.ID), Name: string(s.SupplierName),
		Mobile: string(s.Mobile), Email: string(s.Email), TaxID: string(s.GSTIN),
		Status: r.supplierStatus(s.Status), ProviderStatus: string(s.Status),
		BankAccountID: identifier(s.SupplierBankID), CreatedAt: r.instant("creationDate", s.CreationDate),
	}
}
