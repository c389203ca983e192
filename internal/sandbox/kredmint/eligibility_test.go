package kredmint_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/kredmint"
)

// The seed's request for a profile, in full.
const exampleProfile = `{
"source": "BNPL",
"username": "9887206895",
"page": "profile",
"failureDeepLink": "https://example.com/handler/failed",
"successDeepLink": "https://example.com/handler/success",
"backDeepLink": "https://example.com/handler/back",
"userContext": {
"fullName": "",
"mobile": "",
"email": "",
"gender": "MALE",
"gst": "",
"pancard": "",
"businessName": "",
"aadharNumber": "",
"gmv": {"minInLac": 0, "maxInLac": 0},
"latLong": {"latitude": 0.0, "longitude": 0.0},
"anchorVintageInDays": 368,
"address": {
"addressLine1": "",
"addressLine2": "",
"addressLine3": "",
"state": "",
"city": "",
"pincode": ""
},
"companyOwned": "true"
}
}`

// point writes an amount as the service does: with a point.
func point(m lending.Money) json.Number {
	text := m.Literal()
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return json.Number(text)
}

func TestAStrangerIsOnBoardedWithoutALimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const stranger = "9599170579"
	status, envelope := b.post("/user/eligibility", strings.Replace(exampleProfile, "9887206895", stranger, 1))
	payload, _ := envelope["payload"].(map[string]any)
	landing, _ := payload["landingUrl"].(string)
	delete(payload, "landingUrl")
	want := map[string]any{
		"payload": map[string]any{
			"show": true, "title": "Get a Credit Limit with kredmint.",
			"subTitle":    "Kredmint lets you order now & pay later as per convenience.",
			"logoUrl":     "https://kredmint-public.example.com/b3+(1).png",
			"landingType": "DEFAULT", "availableCreditLimit": json.Number("0.0"), "state": "IncompleteProfile",
			"creditLimit": json.Number("0.0"), "totalOutstanding": json.Number("0.0"),
		},
		"sum": json.Number("0.0"), "timestamp": json.Number("1776416400000"), "error": nil,
	}
	if diff := cmp.Diff(want, envelope); diff != "" || status != http.StatusOK {
		t.Errorf("HTTP %d %s", status, diff)
	}
	form := regexp.MustCompile(`^` + regexp.QuoteMeta(b.url) + `/auth/\?sid=[0-9a-f]{24}&userId=USR-300000` +
		`&token=[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`)
	if !form.MatchString(landing) {
		t.Errorf("landingUrl %s", landing)
	}
	b.profile(stranger)
	if got := b.effects("user.create"); len(got) != 1 || got[0].EntityID != "USR-300000" || got[0].Key != "" {
		t.Errorf("effects %v, want one user", got)
	}
}

func TestAUserHasTheLineOfTheWorld(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, i := range []int{0, 4, 10, 12} {
		person := b.world.Person(i)
		line := person.CreditLine
		got := b.profile(person.KredmintMobile)
		state := map[lending.CreditLineState]string{
			lending.LineActive: "Active", lending.LineIncomplete: "IncompleteProfile",
		}[line.State]
		available, err := line.Limit.Sub(line.Used)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"state": state, "creditLimit": point(line.Limit), "totalOutstanding": point(line.Used),
			"availableCreditLimit": point(available), "landingType": "DEFAULT",
		}
		for field, value := range want {
			if got[field] != value {
				t.Errorf("person %d: %s is %v, want %v", i, field, got[field], value)
			}
		}
		if landing, _ := got["landingUrl"].(string); !strings.Contains(landing, "&userId="+line.UserID+"&token=") {
			t.Errorf("person %d: landingUrl %s", i, landing)
		}
	}
	if got := b.effects("user.create"); len(got) != 0 {
		t.Errorf("known people were on-boarded: %v", got)
	}
}

func TestLandingURLs(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *kredmint.Options) { o.MerchantURL = "https://merchant.example.com/" })
	first, second := b.profile(b.mobile(0))["landingUrl"], b.profile(b.mobile(0))["landingUrl"]
	if text, _ := first.(string); !strings.HasPrefix(text, "https://merchant.example.com/auth/?sid=") || first == second {
		t.Errorf("landing URLs %v and %v: they begin at the merchant's, and each is a new session", first, second)
	}
	status, page := b.send(http.MethodGet, "/auth?partnerId=P&clientToken=T&mobile=9887206895", nil,
		map[string]string{"Authorization": ""})
	if status != http.StatusOK || !bytes.Contains(page, []byte("sandbox")) {
		t.Errorf("the page at the end of it: HTTP %d %s", status, page)
	}
}

func TestRequestsForEligibilityAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good := payment(b.mobile(0), "IN-1", "100.0")
	for name, change := range map[string][2]string{
		"no username":         {b.mobile(0), ""},
		"a name as username":  {b.mobile(0), "somebody"},
		"no source":           {`"MOS"`, `""`},
		"no page":             {`"payment"`, `""`},
		"another page":        {`"payment"`, `"home"`},
		"no invoiceNumber":    {`"IN-1"`, `""`},
		"no amount":           {`100.0`, `null`},
		"an amount of zero":   {`100.0`, `0`},
		"a negative amount":   {`100.0`, `-1`},
		"an amount in quotes": {`100.0`, `"100.0"`},
		"thirds of a paisa":   {`100.0`, `0.333`},
		"no paymentDate":      {`1713814546794`, `null`},
		"a day as date":       {`1713814546794`, `"2024-04-22"`},
		"a date before 1970":  {`1713814546794`, `-5`},
		"an unknown field":    {`"amount"`, `"currency":"INR","amount"`},
		"no JSON":             {`{`, `<`},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Replace(good, change[0], change[1], 1)
			status, envelope := b.post("/user/eligibility", body)
			text, _ := envelope["error"].(string)
			if status != http.StatusBadRequest || !strings.HasPrefix(text, "Bad Request") || envelope["payload"] != nil {
				t.Errorf("HTTP %d %v for %s", status, envelope, body)
			}
		})
	}
	if got := b.effects(""); len(got) != 0 {
		t.Errorf("effects %v", got)
	}
}

func TestTheErrorTable(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *kredmint.Options) { o.Source = "MOS" })
	profile := `{"username":"9887206895","page":"profile","source":"MOS"}`
	other := strings.Replace(profile, "MOS", "BNPL", 1)
	anonymous, stranger := map[string]string{"Authorization": ""}, map[string]string{"Authorization": credentials + "="}
	xml := map[string]string{"Accept": "text/xml"}
	for name, test := range map[string]struct {
		method, path, body string
		header             map[string]string
		status             int
		begins             string
	}{
		"no credentials":              {"POST", "/user/eligibility", profile, anonymous, 401, "Unauthorized"},
		"other credentials":           {"POST", "/user/eligibility", profile, stranger, 401, "Unauthorized"},
		"another source":              {"POST", "/user/eligibility", other, nil, 403, "Forbidden"},
		"an unknown path":             {"POST", "/user/limit", profile, nil, 404, "Not Found"},
		"another method":              {"PUT", "/user/eligibility", profile, nil, 405, "Method Not Allowed"},
		"deleting suppliers":          {"DELETE", "/account/supplier", profile, nil, 405, "Method Not Allowed"},
		"XML":                         {"POST", "/user/eligibility", profile, xml, 406, "Not Acceptable"},
		"unknown without credentials": {"GET", "/x", "", anonymous, 401, "Unauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			status, raw := b.send(test.method, test.path, strings.NewReader(test.body), test.header)
			envelope := decode(t, raw)
			text, _ := envelope["error"].(string)
			if status != test.status || !strings.HasPrefix(text, test.begins) {
				t.Errorf("HTTP %d %s, want %d", status, raw, test.status)
			}
		})
	}
	for _, accept := range []string{"*/*", "text/html, application/json;q=0.9"} {
		header := map[string]string{"Accept": accept}
		if status, _ := b.send("POST", "/user/eligibility", strings.NewReader(profile), header); status != 200 {
			t.Errorf("Accept %s: HTTP %d", accept, status)
		}
	}
}

func TestFaultsHaveTheShapeOfTheErrorTable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for status, begins := range map[string]string{
		"429": "Too Many Requests", "503": "Service Unavailable", "500": "Internal Server Error", "418": "I'm a teapot.",
	} {
		b.admin("/__sandbox/faults", `{"kind":"status","status":`+status+`,"times":1}`)
		_, envelope := b.post("/user/eligibility", exampleProfile)
		if text, _ := envelope["error"].(string); !strings.HasPrefix(text, begins) {
			t.Errorf("%s: %v", status, envelope)
		}
	}
}
