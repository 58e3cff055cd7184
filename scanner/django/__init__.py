"""What Django projects have in common, for the framework modules built on it: settings, URLconfs, views, guards."""
