namespace Sallyport.Server.Admin.Operations;

/// <summary>What programs tell answers apart by. A code keeps its meaning; docs/operating/admin-api.md lists them all.</summary>
public static class AdminCodes
{
    public const string Forbidden = "forbidden";
    public const string InvalidRequest = "invalid_request";
    public const string InvalidCursor = "invalid_cursor";
    public const string UnknownOperation = "unknown_operation";

    public const string UserAdded = "user_added";
    public const string UserAddedWithoutAddress = "user_added_without_address";
    public const string UserRemoved = "user_removed";
    public const string UserDisabled = "user_disabled";
    public const string UserEnabled = "user_enabled";
    public const string UserExists = "user_exists";
    public const string UserUnknown = "user_unknown";
    public const string PasswordSet = "password_set";
    public const string AddressesChanged = "addresses_changed";
    public const string AddressIsLogin = "address_is_login";
    public const string AddressNotGranted = "address_not_granted";
    public const string InvalidLogin = "invalid_login";
    public const string InvalidAddress = "invalid_address";
    public const string InvalidPattern = "invalid_pattern";
    public const string InvalidVerifier = "invalid_verifier";

    public const string AppPasswordAdded = "app_password_added";
    public const string AppPasswordRevoked = "app_password_revoked";
    public const string AppPasswordUnknown = "app_password_unknown";
    public const string AppPasswordsTooMany = "app_passwords_too_many";
    public const string InvalidAppPassword = "invalid_app_password";
    public const string LoginUnknown = "login_unknown";
    public const string LoginTooLong = "login_too_long";
    public const string DirectoryUnavailable = "directory_unavailable";
    public const string SenderNotGranted = "sender_not_granted";

    public const string GrantAdded = "grant_added";
    public const string GrantRemoved = "grant_removed";
    public const string GrantExists = "grant_exists";
    public const string GrantUnknown = "grant_unknown";
    public const string InvalidGrant = "invalid_grant";

    public const string BanAdded = "ban_added";
    public const string BanRemoved = "ban_removed";
    public const string BanUnknown = "ban_unknown";
    public const string FailuresForgotten = "failures_forgotten";
    public const string InvalidIpAddress = "invalid_ip_address";

    public const string LimitsReset = "limits_reset";
    public const string InvalidSubject = "invalid_subject";

    public const string MessageHeld = "message_held";
    public const string MessageReleased = "message_released";
    public const string MessageRetried = "message_retried";
    public const string MessageRemoved = "message_removed";
    public const string MessageUnknown = "message_unknown";
    public const string MessageInProgress = "message_in_progress";
    public const string MessageIsHeld = "message_is_held";
    public const string NothingDue = "nothing_due";
    public const string NothingHeld = "nothing_held";
    public const string NothingToRetry = "nothing_to_retry";
    public const string InvalidQueueId = "invalid_queue_id";

    public const string MessagesReleased = "messages_released";
    public const string MessagesDropped = "messages_dropped";
    public const string MessagesLeft = "messages_left";
    public const string SendingResumed = "sending_resumed";
    public const string InvalidSelection = "invalid_selection";

    public const string LoginSuspended = "login_suspended";
    public const string LoginResumed = "login_resumed";
    public const string LoginResumedMailHeld = "login_resumed_mail_held";
    public const string LoginNotStopped = "login_not_stopped";
    public const string InvalidSuspension = "invalid_suspension";

    public const string AlertSent = "alert_sent";
    public const string AlertFailed = "alert_failed";
    public const string AlertNotConfigured = "alert_not_configured";
    public const string NotRunning = "not_running";

    public const string Imported = "imported";
    public const string ImportUpToDate = "import_up_to_date";
    public const string ImportDryRun = "import_dry_run";
    public const string ImportFailed = "import_failed";
    public const string ImportNoDirectory = "import_no_directory";
    public const string ImportUnknownDirectory = "import_unknown_directory";
    public const string ImportWhichDirectory = "import_which_directory";

    public const string SendTestDone = "send_test_done";
}
