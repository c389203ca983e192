package onepipe_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/onepipe"
)

// scoreRequest is for the customer of the seed.
func scoreRequest() provider.ScoreRequest {
	return provider.ScoreRequest{
		Reference: reference, CustomerExternalID: "C-1001", FirstName: "Uju", LastName: "Usmanu",
		Email: "ujuusmanu@gmail.com", Phone: phone, LoanAmount: new(lending.MustMoney("500000", lending.NGN)),
	}
}

func bankAccount() *provider.ScoreAccount {
	return &provider.ScoreAccount{
		Type: provider.AccountBank, Bank: &lending.BankAccount{AccountNumber: "1234567890", BankCode: "058"},
	}
}

func card() *provider.ScoreAccount {
	return &provider.ScoreAccount{
		Type: provider.AccountCard, CardNumber: "4000000000000002", CardCVV: "123", CardExpiry: "1230", CardPIN: "1234",
	}
}

func TestRequestsAreAsDocumented(t *testing.T) {
	t.Parallel()
	request := func(account *provider.ScoreAccount) func(*testing.T, *standIn) error {
		return func(t *testing.T, o *standIn) error {
			r := scoreRequest()
			r.Account = account
			_, err := o.Scores.RequestScore(t.Context(), r)
			return err
		}
	}
	confirm := func(t *testing.T, o *standIn) error {
		_, err := o.Confirmations.ConfirmScore(t.Context(), provider.ScoreConfirmation{Reference: reference, Secret: "123456"})
		return err
	}
	query := func(t *testing.T, o *standIn) error {
		_, err := o.Confirmations.QueryScore(t.Context(), reference)
		return err
	}
	for name, test := range map[string]struct {
		change func(*onepipe.Config)
		do     func(*testing.T, *standIn) error
		path   string
		golden string
	}{
		"score without an account": {nil, request(nil), "/v2/transact", "transact.golden.json"},
		"score by a bank account":  {nil, request(bankAccount()), "/v2/transact", "transact_bank.golden.json"},
		"confirmation":             {nil, confirm, "/v2/transact/validate", "validate.golden.json"},
		"confirmation in details": {
			func(c *onepipe.Config) { c.OTPIn, c.ValidateRequestType = onepipe.OTPInDetails, "validate_otp" },
			confirm, "/v2/transact/validate", "validate_details.golden.json",
		},
		"query": {nil, query, "/v2/transact/query", "query.golden.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var changes []func(*onepipe.Config, *onepipe.Deps)
			if test.change != nil {
				changes = append(changes, with(test.change))
			}
			o := setup(t, http.StatusOK, file(t, "successful.json"), changes...)
			if err := test.do(t, o); err != nil {
				t.Fatal(err)
			}
			got := o.Calls()[0]
			if got.Method != http.MethodPost || got.Path != test.path {
				t.Errorf("sent %s %s", got.Method, got.Path)
			}
			want := map[string]string{
				"Authorization": "Bearer " + apiKey, "Content-Type": "application/json",
				"Signature": "8095df80473d781c9e6c3440d643dc78", // md5 of the reference of zeros, a semicolon and the secret
			}
			for header, value := range want {
				if got.Header.Get(header) != value {
					t.Errorf("%s: %q, want %q", header, got.Header.Get(header), value)
				}
			}
			wantJSON(t, test.golden, got.Body)
		})
	}
}

// sentAuth is auth and the type of the first request.
func sentAuth(t *testing.T, o *standIn) (auth struct{ Type, Secure *string }) {
	t.Helper()
	var body struct {
		Auth struct{ Type, Secure *string }
	}
	if err := json.Unmarshal(o.Calls()[0].Body, &body); err != nil {
		t.Fatal(err)
	}
	return body.Auth
}

func TestSettingsOfTheSecret(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*onepipe.Config)
		want   string
	}{
		"encrypted, UTF-8":       {func(*onepipe.Config) {}, "kD1O0f3SC38="},
		"encrypted, UTF-16":      {func(c *onepipe.Config) { c.SecureEncoding = onepipe.UTF16LE }, "xptVQ4pYTxveKXIszcLO0w=="},
		"as one client sends it": {func(c *onepipe.Config) { c.PlainOTP = true }, "123456"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, http.StatusOK, file(t, "successful.json"), with(test.change))
			_, err := o.Confirmations.ConfirmScore(t.Context(), provider.ScoreConfirmation{Reference: reference, Secret: "123456"})
			if err != nil {
				t.Fatal(err)
			}
			if got := sentAuth(t, o).Secure; got == nil || *got != test.want {
				t.Errorf("secure %v, want %s", got, test.want)
			}
		})
	}
}

func TestAccountsThatAuthorise(t *testing.T) {
	t.Parallel()
	wallet := &provider.ScoreAccount{Type: provider.AccountWallet, WalletNumber: "1234567890", WalletProvider: "058"}
	for name, test := range map[string]struct {
		account      *provider.ScoreAccount
		kind, secure string
	}{
		"a bank account": {bankAccount(), "bank.account", "TX3Dx+9yT7UBm5eO5pAeTQ=="},
		"a wallet":       {wallet, "wallet", "TX3Dx+9yT7UBm5eO5pAeTQ=="},
		"a card":         {card(), "card", "d1YuuTvy/nQnau0K6BdHzMsojtHKsBxgiMay4rXJCUQ="},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, http.StatusOK, file(t, "successful.json"), with(func(c *onepipe.Config) { c.AllowCards = true }))
			r := scoreRequest()
			r.Account = test.account
			if _, err := o.Scores.RequestScore(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			got := sentAuth(t, o)
			if got.Type == nil || *got.Type != test.kind || got.Secure == nil || *got.Secure != test.secure {
				t.Errorf("type %v secure %v", *got.Type, *got.Secure)
			}
		})
	}
}

func TestRequestScoreRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*provider.ScoreRequest)
		field  []string
	}{
		"no customer":        {func(r *provider.ScoreRequest) { r.CustomerExternalID = "" }, []string{"input", "customerId"}},
		"a card":             {func(r *provider.ScoreRequest) { r.Account = card() }, []string{"input", "account"}},
		"no kind of account": {func(r *provider.ScoreRequest) { r.Account = &provider.ScoreAccount{} }, []string{"input", "account", "type"}},
		"no bank code":       {func(r *provider.ScoreRequest) { r.Account = bankAccount(); r.Account.Bank.BankCode = "" }, []string{"input", "account", "bank", "bankCode"}},
		"two parts in one":   {func(r *provider.ScoreRequest) { r.Account = bankAccount(); r.Account.Bank.AccountNumber = "1;2" }, []string{"input", "account", "bank", "accountNumber"}},
		"a wallet without a name": {func(r *provider.ScoreRequest) {
			r.Account = &provider.ScoreAccount{Type: provider.AccountWallet, WalletNumber: "1"}
		}, []string{"input", "account", "walletProvider"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, http.StatusOK, file(t, "successful.json"))
			r := scoreRequest()
			test.change(&r)
			_, err := o.Scores.RequestScore(t.Context(), r)
			got := lending.AsError(err)
			if got == nil || got.Kind != lending.KindValidation || got.Outcome != lending.NotExecuted || len(got.Problems) != 1 {
				t.Fatalf("error %#v, want one problem", err)
			}
			if diff := cmp.Diff(test.field, got.Problems[0].Field); diff != "" {
				t.Errorf("field (-want +got):\n%s", diff)
			}
			if len(o.Calls()) != 0 {
				t.Error("it was sent all the same")
			}
		})
	}
}

func TestConfirmScoreNeedsASecret(t *testing.T) {
	t.Parallel()
	o := setup(t, http.StatusOK, file(t, "successful.json"))
	_, err := o.Confirmations.ConfirmScore(t.Context(), provider.ScoreConfirmation{Reference: reference})
	if lending.KindOf(err) != lending.KindValidation || len(o.Calls()) != 0 {
		t.Errorf("error %v after %d calls", err, len(o.Calls()))
	}
}

// request_ref is new for each call, and the same in the body and under the signature; transaction_ref stays.
func TestReferences(t *testing.T) {
	t.Parallel()
	o := setup(t, http.StatusOK, file(t, "successful.json"), func(_ *onepipe.Config, d *onepipe.Deps) { d.Random = nil })
	for range 3 {
		if _, err := o.Confirmations.QueryScore(t.Context(), reference); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, c := range o.Calls() {
		var body struct {
			RequestRef  string `json:"request_ref"`
			Transaction struct {
				Ref string `json:"transaction_ref"`
			} `json:"transaction"`
		}
		if err := json.Unmarshal(c.Body, &body); err != nil {
			t.Fatal(err)
		}
		if len(body.RequestRef) != 32 || body.Transaction.Ref != reference {
			t.Errorf("references %q and %q", body.RequestRef, body.Transaction.Ref)
		}
		seen[body.RequestRef+c.Header.Get("Signature")] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d different references in 3 calls", len(seen))
	}
}
