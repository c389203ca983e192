package server

import "testing"

func TestMask(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"22370756505":         "*******6505",
		"12345678":            "****5678",
		"1234567":             "*******",
		"1234":                "****",
		"":                    "",
		"ÀÉÎÕÜàéîõü":          "******éîõü",
		"+919876543210":       "*********3210",
		"ada.obi@example.com": "a***@example.com", "é@x.ng": "é***@x.ng", "@example.com": "********.com",
	} {
		if got := mask(text, 4); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := mask("12", 0); got != "**" {
		t.Errorf("of nothing to keep %q is left", got)
	}
}
