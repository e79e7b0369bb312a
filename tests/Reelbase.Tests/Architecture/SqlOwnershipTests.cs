using System.Text.RegularExpressions;
using Reelbase.Server;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Architecture;

/// <summary>Each table belongs to a feature, and only SQL in that feature's folder writes it; read from the source.</summary>
[Trait("Check", "yes")]
[Quick]
public sealed partial class SqlOwnershipTests
{
    /// <summary>
    /// Who writes a table of another feature, and why. A new line has to be put here on purpose; one that nothing needs any more fails. Tables of the platform
    /// (limits, answers that are kept, schedules, the installation) are there for everybody.
    /// </summary>
    private static readonly Dictionary<string, string> Allowed = new(StringComparer.Ordinal)
    {
        ["write_ledger → users"] = "the balance changes with its ledger row, and only here",
        ["quota_log → users"] = "several rows of one statement ask for the check of the balance at commit",
        ["refresh_job_credits → video_jobs"] = "what a job has cost, from its ledger rows",
        ["grant_initial_credits → users"] = "the grant is noted in the statement that gives it",
        ["adopt_device_id → users"] = "a device id opens a guest: the row is the guest's",
        ["delete_unused_guest → users"] = "a guest that a device did not need",
        ["open_device → users"] = "a device opens its guest",
        ["open_keyless_guest → users"] = "a device opens its guest",
        ["open_temporary_guest → users"] = "a device opens its guest",
        ["open_temporary_guest → sessions"] = "a session of a temporary guest says that it is one",
        ["settle_temporary_guest → users"] = "a temporary guest becomes a guest",
        ["merge_temporary_guest → users"] = "a temporary guest becomes part of the known one: what it was given in error goes first",
        ["merge_temporary_guest → sessions"] = "the same",
        ["merge_temporary_guest → age_bands"] = "the same",
        ["merge_temporary_guest → user_consents"] = "the same",
        ["merge_temporary_guest → push_tokens"] = "the same",
        ["merge_temporary_guest → push_notifications"] = "the same",
        ["admin_unban_user → device_checks"] = "a phone that was refused with its user is let in again",
        ["begin_admin_session → sessions"] = "admins have sessions like users, with another method",
        ["change_admin_password → sessions"] = "the sessions of the former password end",
        ["check_admin_session → sessions"] = "a use of an admin's session is noted",
        ["create_admin → sessions"] = "an account that becomes an admin loses its user's sessions",
        ["create_admin → users"] = "an admin is a user's row with a flag",
        ["end_admin_session → sessions"] = "admins have sessions like users",
        ["remove_admin → sessions"] = "a former admin's sessions end with the flag",
        ["remove_admin → users"] = "an admin is a user's row with a flag",
        ["start_admin_token → sessions"] = "admins have sessions like users",
        ["models → video_jobs"] = "jobs wait while their model is switched off",
        ["record_foreign_result → video_jobs"] = "a result of another request pauses the model, and its queued jobs",
        ["clean_up → webhook_deliveries"] = "old deliveries go in the same bounded steps as other rows",
        ["forget_missing_object → video_jobs"] = "a job whose file is gone says so",
        ["request_storage_check → admin_actions"] = "written here because support's request is a command line too",
        ["complete_video_job → storage_objects"] = "the video and its file become visible in one statement",
        ["end_video_job → storage_objects"] = "a job that fails gives its file up",
        ["erase_video_job → storage_objects"] = "a job goes with its files",
        ["erase_video_job → webhook_deliveries"] = "a job goes with what was said about it",
        ["adopt_purchase → users"] = "who buys for the first time after a refund",
        ["note_app_transaction → users"] = "the app's downloads that an account has shown",
        ["purchases → users"] = "the tier follows from the purchases",
        ["apply_rescinded_consent → sessions"] = "what a guardian took back ends at once",
        ["apply_rescinded_consent → former_refresh_tokens"] = "the same",
        ["apply_rescinded_consent → user_consents"] = "the same",
        ["link_apple_identity → users"] = "an Apple account is an account's name",
        ["sign_in_with_apple → users"] = "an Apple account is an account's name",
        ["claim_unverified_user → users"] = "shipped builds name a user that is made then",
        ["sign_up_guest → users"] = "Supabase's clients make guests",
        ["update_auth_user → users"] = "Supabase's clients keep metadata at the user",
    };

    [Fact]
    public void A_table_is_written_by_its_owner_or_for_a_reason_that_is_said_here()
    {
        var found = Writes()
            .Where(write => !write.IsOwn && !write.IsImport)
            .Select(write => $"{write.Function} → {write.Table}")
            .ToHashSet(StringComparer.Ordinal);
        Assert.Empty(found.Except(Allowed.Keys));
        Assert.Empty(Allowed.Keys.Except(found));
    }

    /// <summary>A feature's hook that nobody calls would leave rows of a merged or an erased account behind.</summary>
    [Theory]
    [InlineData("merge_accounts", "on_account_merged_")]
    [InlineData("erase_account", "on_account_erased_")]
    public void Each_hook_is_called_once_and_in_order(string caller, string prefix)
    {
        var body = Sql(Assert.Single(SqlFiles(), file => Name(file) == caller));
        var called = Regex.Matches(body, prefix + "[a-z_]+").Select(match => match.Value).ToList();
        var hooks = SqlFiles().Select(Name).Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        Assert.Equal(hooks.Order(), called.Order());
        // Jobs are locked before what hangs on them, as by everybody who works on them.
        Assert.True(called.IndexOf(prefix + "generate_video") < called.IndexOf(prefix + "files"));
        Assert.True(called.IndexOf(prefix + "generate_video") < called.IndexOf(prefix + "provider_callbacks"));
    }

    /// <summary>What the modules say; that they name each table once is ModuleTests's.</summary>
    private static IReadOnlyDictionary<string, string> Owners { get; } =
        Modules
            .All.SelectMany(module => module.OwnedTables.Select(table => (Table: table, Owner: FeatureOf(module.GetType()))))
            .ToDictionary(pair => pair.Table, pair => pair.Owner, StringComparer.Ordinal);

    private static string FeatureOf(Type module) => module.Namespace!.Split('.') is ["Reelbase", "Server", "Features", var feature, ..] ? feature : "Platform";

    private sealed record Write(string Feature, string Function, string Table, string File)
    {
        /// <summary>Moving in brings rows of every table.</summary>
        public bool IsImport => File.Contains("/Supabase/Import/", StringComparison.Ordinal);

        public bool IsOwn => Owners.GetValueOrDefault(Table) is var owner && (owner == Feature || owner == "Platform");
    }

    private static IEnumerable<Write> Writes() =>
        from file in SqlFiles()
        from match in Writing().Matches(Sql(file))
        where Owners.ContainsKey(match.Groups[1].Value)
        select new Write(FeatureOf(file), Name(file), match.Groups[1].Value, file);

    private static IEnumerable<string> SqlFiles() =>
        Repository.Files("src/Reelbase.Server", "*.function.sql").Concat(Repository.Files("src/Reelbase.Server", "*.trigger.sql"));

    private static string Sql(string file) => Comment().Replace(File.ReadAllText(file), "");

    private static string Name(string file) => Path.GetFileName(file).Split('.')[0];

    private static string FeatureOf(string file) =>
        Path.GetRelativePath(Path.Combine(Repository.Root, "src/Reelbase.Server"), file).Split('/') is ["Features", var feature, ..] ? feature : "Platform";

    [GeneratedRegex(@"\b(?:insert into|update|delete from|truncate)\s+(?:only\s+)?(?:public\.)?(\w+)", RegexOptions.IgnoreCase)]
    private static partial Regex Writing();

    [GeneratedRegex("--.*")]
    private static partial Regex Comment();
}
