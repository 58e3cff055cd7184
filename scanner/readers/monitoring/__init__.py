"""What watches a service: alerting rules, where alerts go, dashboards, objectives."""
