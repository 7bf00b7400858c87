package semconv

import "testing"

func TestTheShippedRulesAreRead(t *testing.T) {
	rules, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(rules.Columns) < 50 || len(rules.Dialects) < 30 || len(rules.Content.Keys) == 0 {
		t.Fatalf("%d columns, %d dialects", len(rules.Columns), len(rules.Dialects))
	}
	conditions := 0
	for _, dialect := range rules.Dialects {
		for _, rule := range dialect.Rules {
			for _, condition := range rule.Where {
				if condition.Key == "" || len(condition.Values) == 0 {
					t.Errorf("%s: %s: an empty condition", dialect.Name, rule.Column)
				}
				conditions++
			}
		}
	}
	if conditions < 100 {
		t.Errorf("only %d conditions", conditions)
	}
}

func TestTextThatIsNoRulesIsRefused(t *testing.T) {
	if _, err := Parse([]byte(`{"dialects": 1}`)); err == nil {
		t.Error("nothing was refused")
	}
}
