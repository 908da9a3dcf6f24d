"""What every floor may use and what uses none of them: errors, arguments, registry."""
