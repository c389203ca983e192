package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// personalFields are the names that fields of text have where they hold personal data or secrets.
func personalFields() []string {
	return []string{
		"FirstName", "LastName", "Email", "Phone", "Mobile", "BVN", "AccountNumber", "WalletNumber", "CardNumber", "CVV", "PIN", "CardPIN",
		"OTP", "Password", "Secret", "SecretHash", "AccessToken", "TaxID", "Street", "Search", "Body", "Payload", "Input", "Evidence",
		"Token", "WebhookSecret", "Employer", "Username", "RedirectURL",
	}
}

// TestWhatHoldsPersonalDataIsPrivate reads the types that cross the house, so that a new one is not forgotten.
func TestWhatHoldsPersonalDataIsPrivate(t *testing.T) {
	t.Parallel()
	private := 0
	for _, folder := range []string{lending, service, port, "internal/auth"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				declared, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				fields, ok := declared.Type.(*ast.StructType)
				if !ok {
					return true
				}
				personal, embeds := personalIn(fields)
				if embeds {
					private++
				}
				if personal != "" && !embeds {
					t.Errorf("%s: %s has a field %s and does not embed lending.Private", folder, declared.Name.Name, personal)
				}
				return true
			})
		}
	}
	if private < 50 {
		t.Errorf("only %d types are private", private)
	}
}

// personalIn finds a field that holds personal data as text or bytes, and whether the type is private.
func personalIn(s *ast.StructType) (personal string, private bool) {
	for _, field := range s.Fields.List {
		switch of := field.Type.(type) {
		case *ast.Ident:
			private = private || len(field.Names) == 0 && of.Name == "Private"
			if of.Name != "string" {
				continue
			}
		case *ast.SelectorExpr:
			private = private || len(field.Names) == 0 && of.Sel.Name == "Private"
			continue
		case *ast.ArrayType:
			if element, ok := of.Elt.(*ast.Ident); !ok || element.Name != "byte" {
				continue
			}
		default:
			continue
		}
		for _, name := range field.Names {
			if slices.Contains(personalFields(), name.Name) {
				personal = name.Name
			}
		}
	}
	return personal, private
}
