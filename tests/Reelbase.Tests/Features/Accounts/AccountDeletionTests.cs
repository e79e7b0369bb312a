using System.Net;
using System.Text;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Deleting an account leaves no file and nothing that says who it was, and a ledger that still adds up; exporting shows everything that is kept.</summary>
[Collection(SharedProduct.Name)]
public sealed class AccountDeletionTests(TestSystem system)
{
    [Fact]
    public async Task An_admin_is_not_deleted_by_the_apps_endpoint()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set is_admin = true where id = '{phone.UserId}'");
        var answer = await phone.PostAsync("/delete-account", new { });
        Assert.Equal((HttpStatusCode.Conflict, "ERR_4012"), (answer.Status, answer.Code));
        Assert.Equal("is_admin", answer["error"].GetProperty("details").GetProperty("reason").GetString());
        Assert.Equal(
            ["True|True|"],
            await system.RowsAsync(
                $"select device_id = internal.device_id_hash('{phone.DeviceId}'), is_admin, deleted_at from users where id = '{phone.UserId}'"
            )
        );
        Assert.Equal(10, await phone.CreditsAsync());
        await system.ExecuteAsync($"update users set is_admin = false where id = '{phone.UserId}'");
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/delete-account", new { })).Status);
    }

    [Fact]
    public async Task A_code_of_apple_that_comes_with_a_deletion_that_is_refused_is_not_kept()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set is_admin = true where id = '{phone.UserId}'");
        var (_, code) = await system.PretendApple.SignInAsync("admin." + phone.UserId);
        Assert.Equal("ERR_4012", (await phone.PostAsync("/delete-account", new { authorization_code = code })).Code);
        Assert.Empty(await system.RowsAsync($"select stage from apple_authorizations where user_id = '{phone.UserId}'"));
        await system.ExecuteAsync($"update users set is_admin = false where id = '{phone.UserId}'");
        Assert.Equal("revoking", (await phone.PostAsync("/delete-account", new { authorization_code = code }))["apple_access"].GetString());
    }

    [Fact]
    public async Task Deleting_while_a_job_is_running_leaves_no_file_no_trace_and_a_ledger_that_adds_up()
    {
        var mark = "planted" + Guid.NewGuid().ToString("N");
        var subject = mark + ".subject";
        var phone = await system.NewGuestAsync(100);
        await phone.PostAsync("/register-push-token", new { token = Convert.ToHexStringLower(Encoding.ASCII.GetBytes(mark)) });
        await phone.PostAsync(
            "/record-consent",
            new
            {
                kind = "terms",
                version = mark,
                granted = true,
            }
        );
        var finished = await phone.GenerateAndWatchAsync($"A finished video of {mark}");
        await phone.GenerateAndWatchAsync($"A rejected one of {mark} [reject]");
        var (_, signed) = await system.PretendApple.BuyAsync(Apple.Pack25, phone.UserId, notify: true);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        var (token, code) = await system.PretendApple.SignInAsync(subject, mark + "@example.com");
        await phone.PostAsync("/merge-guest-user", new { id_token = token, authorization_code = code });
        await phone.GetAsync($"/get-video-jobs?q={mark}&limit=0");
        // A second phone, merged into the first.
        var second = await Phone.OnboardAsync(system.Url);
        await second.PostAsync("/merge-guest-user", new { id_token = (await system.PretendApple.SignInAsync(subject)).Token });
        var running = (await phone.GenerateAsync($"Running while {mark} leaves [slow 2]"))["job_id"].GetString()!;
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select stage from video_jobs where job_id = '{running}'"),
            stage => stage is "submitted" or "fetching" or "finished"
        );
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select coalesce(string_agg(stage, ','), '') from apple_authorizations where user_id = '{phone.UserId}'"),
            stages => stages == "held"
        );
        string[] planted = [mark, phone.DeviceId, second.DeviceId, HashOf(phone), HashOf(second), subject];
        Assert.NotEmpty(await FindAsync(planted));

        var gone = await phone.PostTextAsync("/delete-account", "{}");
        Assert.True(gone.Status == HttpStatusCode.OK, gone.Text);
        Assert.Equal("revoking", gone["apple_access"].GetString());
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select stage from video_jobs where job_id = '{running}'"), stage => stage == "finished");
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from storage_objects where user_id in ('{phone.UserId}', '{second.UserId}')"),
            files => files == 0
        );
        await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from webhook_deliveries where status = 'pending'"), rows => rows == 0);
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select string_agg(stage, ',') from apple_authorizations where user_id = '{phone.UserId}'"),
            stages => stages == "revoked"
        );

        Assert.Empty(await FindAsync(planted));
        Assert.DoesNotContain(
            Directory.EnumerateFiles(Path.Combine(system.DataDirectory, "storage"), "*", SearchOption.AllDirectories),
            file => file.Contains(phone.UserId.ToString(), StringComparison.Ordinal)
        );
        await system.AssertLedgerAsync();
        // The ledger stays: who paid what is still there under an id that means nobody.
        Assert.Equal(1L, await system.QueryAsync<long>($"select count(*) from quota_log where user_id = '{phone.UserId}' and reason = 'iap_purchase'"));
        var revoked = (await system.PretendApple.RevocationsAsync()).GetProperty("revocations").EnumerateArray().ToList();
        Assert.Contains(revoked, one => one.GetProperty("was_known").GetBoolean());

        // Nobody comes back: not by token, by refresh, by device, by file or by asking again.
        Assert.Equal(HttpStatusCode.Unauthorized, (await phone.GetAsync("/get-user-credits")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await second.GetAsync("/get-user-credits")).Status);
        using var http = system.Anybody();
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await http.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = phone.RefreshToken })).StatusCode
        );
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(finished.GetProperty("video_url").GetString())).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostTextAsync("/delete-account", "{}")).Status);
        var again = await Phone.OnboardAsync(system.Url, phone.DeviceId);
        Assert.NotEqual(phone.UserId, again.UserId);
        // The phone had its grant once, which Apple remembers and we need not.
        Assert.Equal(0, again.Onboarding["credits_remaining"].GetInt32());
    }

    [Fact]
    public async Task A_waiting_job_is_refunded_in_the_ledger_when_its_user_leaves()
    {
        await using var outage = await system.OutageAsync("fal", "down");
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Never begun"))["job_id"].GetString();
        var answer = await phone.PostTextAsync("/delete-account", "{}");
        Assert.Equal("not_linked", answer["apple_access"].GetString());
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select stage from video_jobs where job_id = '{job}'"), stage => stage == "finished");
        await outage.EndAsync();
        Assert.Equal(0, await system.QueryAsync<long>($"select coalesce(sum(change), 0) from quota_log where job_id = '{job}'"));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Without_a_code_the_account_goes_all_the_same_and_says_what_is_left_to_do()
    {
        var phone = await system.NewGuestAsync();
        await phone.PostAsync("/merge-guest-user", new { id_token = (await system.PretendApple.SignInAsync("s" + phone.UserId)).Token });
        Assert.Equal("remove_in_settings", (await phone.PostTextAsync("/delete-account", "{}"))["apple_access"].GetString());
    }

    [Fact]
    public async Task A_code_that_comes_with_the_deletion_is_exchanged_to_be_revoked_also_when_apple_is_away()
    {
        var phone = await system.NewGuestAsync();
        var (token, code) = await system.PretendApple.SignInAsync("s" + phone.UserId);
        await phone.PostAsync("/merge-guest-user", new { id_token = token });
        await using var outage = await system.OutageAsync("apple-id/auth/token", "down");
        Assert.Equal("revoking", (await phone.PostAsync("/delete-account", new { authorization_code = code }))["apple_access"].GetString());
        await outage.EndAsync();
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select stage || coalesce(secret::text, '') from apple_authorizations where user_id = '{phone.UserId}'"),
            stage => stage == "revoked"
        );
        Assert.Contains(code, (await system.PretendApple.RevocationsAsync()).GetProperty("exchanged").EnumerateArray().Select(one => one.GetString()));
    }

    [Fact]
    public async Task Tokens_of_apple_are_kept_encrypted()
    {
        var phone = await system.NewGuestAsync();
        var (token, code) = await system.PretendApple.SignInAsync("s" + phone.UserId);
        await phone.PostAsync("/merge-guest-user", new { id_token = token, authorization_code = code });
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select stage from apple_authorizations where user_id = '{phone.UserId}'"),
            stage => stage == "held"
        );
        Assert.Empty(await FindAsync([code, "0.simulated", Convert.ToHexStringLower(Encoding.ASCII.GetBytes(".0.simulated"))]));
    }

    [Fact]
    public async Task An_export_shows_everything_that_is_kept_and_nobody_elses()
    {
        var phone = await system.NewGuestAsync();
        var other = await system.NewGuestAsync();
        await other.GenerateAsync("Of somebody else");
        var video = await phone.GenerateAndWatchAsync("Exported");
        var (id, signed) = await system.PretendApple.BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        var answer = await phone.PostTextAsync("/export-user-data", "{}");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, answer["profile"].GetProperty("device_id").ValueKind);
        Assert.Matches("^sha256:[0-9a-f]{8}\\.\\.\\.$", answer["devices"][0].GetProperty("device_id").GetString());
        Assert.DoesNotContain(phone.DeviceId, answer.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal([10, -8, 25], answer["ledger"].EnumerateArray().Select(line => line.GetProperty("change").GetInt32()));
        Assert.Equal("Exported", answer["videos"][0].GetProperty("prompt").GetString());
        Assert.Equal(id, answer["purchases"][0].GetProperty("transaction_id").GetString());
        Assert.Equal(1, answer["sessions"].GetArrayLength());
        Assert.DoesNotContain(other.UserId.ToString(), answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("is_admin", answer.Text, StringComparison.Ordinal);
        using var http = system.Anybody();
        var file = await http.GetAsync(
            answer["files"].EnumerateArray().First(one => one.GetProperty("bucket").GetString() == "videos").GetProperty("url").GetString()
        );
        Assert.Equal("video/mp4", file.Content.Headers.ContentType?.MediaType);
        Assert.NotEqual(default, video.ValueKind);
    }

    [Fact]
    public async Task An_export_that_was_cut_says_so_and_the_same_request_goes_on_until_everything_was_said()
    {
        const int lines = 10_003;
        var phone = await system.NewGuestAsync();
        var whole = await phone.PostTextAsync("/export-user-data", "{}");
        Assert.Empty(whole["next"].EnumerateObject());
        await system.ExecuteAsync(
            $"insert into error_log (user_id, error_code, endpoint) select '{phone.UserId}', 'ERR_4000', n::text from generate_series(1, {lines}) n"
        );
        var cut = await phone.PostTextAsync("/export-user-data", "{}");
        Assert.Equal(10_000, cut["errors"].GetArrayLength());
        Assert.Contains("errors", cut["next"].EnumerateObject().Select(entry => entry.Name));
        Assert.Contains("before", cut["more"].GetString(), StringComparison.Ordinal);
        Assert.True(cut["next"].TryGetProperty("errors", out _), cut["next"].ToString());
        var rest = await phone.PostAsync("/export-user-data", new { list = "errors", before = cut["next"].GetProperty("errors").GetString() });
        Assert.True(rest.Status == HttpStatusCode.OK, rest.Text);
        Assert.Equal(["1", "2", "3"], rest["errors"].EnumerateArray().Select(error => error.GetProperty("endpoint").GetString()));
        Assert.Empty(rest["next"].EnumerateObject());
        var unknown = await phone.PostAsync("/export-user-data", new { list = "everybody" });
        Assert.Equal((HttpStatusCode.BadRequest, "ERR_4000"), (unknown.Status, unknown.Code));
        await system.ExecuteAsync($"delete from error_log where user_id = '{phone.UserId}'");
    }

    /// <summary>Every table, every column, every file: where does one of the values stand?</summary>
    private async Task<List<string>> FindAsync(string[] values)
    {
        var found = new List<string>();
        var tables = await system.RowsAsync(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')"
        );
        Assert.True(tables.Count > 20);
        foreach (var table in tables)
        {
            foreach (var value in values)
            {
                // Signed payloads hold their content in base64, in one of three alignments.
                var forms = new[] { value }
                    .Concat(Enumerable.Range(0, 3).Select(shift => Base64Core(value, shift)))
                    .Append(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(value)));
                var condition = string.Join(" or ", forms.Select(form => $"position('{form}' in t::text) > 0"));
                var rows = await system.QueryAsync<long>($"select count(*) from {table} t where {condition}");
                if (rows > 0)
                {
                    found.Add($"{table}: {rows} rows with {value}");
                }
            }
        }
        var storage = Path.Combine(system.DataDirectory, "storage");
        foreach (var file in Directory.Exists(storage) ? Directory.EnumerateFiles(storage, "*", SearchOption.AllDirectories) : [])
        {
            var text = file + Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            found.AddRange(values.Where(value => text.Contains(value, StringComparison.Ordinal)).Select(value => $"{file}: {value}"));
        }
        return found;
    }

    /// <summary>What is stored of a device id.</summary>
    private static string HashOf(Phone phone) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(phone.DeviceId)));

    private static string Base64Core(string value, int shift)
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(new string(' ', shift) + value + "  "));
        return encoded[(shift == 0 ? 0 : 4)..^8];
    }
}
