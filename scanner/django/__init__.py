"""What Django projects have in common, for every framework module built on Django: settings, URLconfs, views, guards."""
