using System.Net;
using Reelbase.Server.Features.Admin;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Bans, the team itself, what support looks for, and what it changes beside credits.</summary>
public sealed class AdminTeamTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    [Fact]
    public async Task A_ban_ends_an_open_stream_and_the_session_at_once_and_an_unban_gives_both_back()
    {
        var phone = await system.NewGuestAsync(100);
        var job = (await phone.GenerateAsync("A long one [slow 600]"))["job_id"].GetString()!;
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/get-video-status?job_id={job}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var response = await phone.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        await Phone.ReadUntilAsync(reader, "event: status");

        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-ban-user", new { user_id = phone.UserId, reason = "insults people" })).Status);
        // The stream ends, and not only when the phone hangs up.
        using var limit = Patience.Limit();
        await reader.ReadToEndAsync(limit.Token);
        Assert.Equal("ERR_4006", (await phone.GetAsync("/get-user-credits")).Code);
        // Twice is once.
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-ban-user", new { user_id = phone.UserId, reason = "insults people" })).Status);
        Assert.Equal(["user_ban"], await system.RowsAsync($"select action_type from admin_actions where target_user_id = '{phone.UserId}'"));
        // The phone comes, is refused, and is marked at Apple.
        Assert.Equal("ERR_4006", (await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(phone.DeviceId))).Code);
        await Eventually.IsAsync(
            () => system.QueryAsync<bool>($"select coalesce(bit1, false) from device_checks where device_id = internal.device_id_hash('{phone.DeviceId}')"),
            bit => bit
        );

        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-unban-user", new { user_id = phone.UserId, reason = "it was somebody else" })).Status);
        Assert.Equal(92, await phone.CreditsAsync());
        Assert.Equal(HttpStatusCode.OK, (await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(phone.DeviceId))).Status);
        await Eventually.IsAsync(
            () => system.QueryAsync<bool>($"select coalesce(bit1, false) from device_checks where device_id = internal.device_id_hash('{phone.DeviceId}')"),
            bit => !bit
        );
    }

    [Fact]
    public async Task The_last_admin_stays_one_also_when_two_remove_each_other_at_once()
    {
        await using var system = new AdminSystem();
        await system.InitializeAsync();
        async Task<ApiResponse> RevokeAsync(HttpClient http, Guid user) =>
            await ApiResponse.ReadAsync(await http.PostAsJsonAsync("/admin-revoke-admin", new { user_id = user, reason = "leaves the team" }));
        Assert.Equal("ERR_4012", (await RevokeAsync(system.Admin, system.AdminId)).Code);
        Assert.Equal(1, (await ServerProcess.RunAsync("admin", "revoke", "--email", "first@support.example", "--database", system.Owner)).Code);
        Assert.Equal(
            "ERR_4012",
            (await ApiResponse.ReadAsync(await system.Admin.PostAsJsonAsync("/admin-ban-user", new { user_id = system.AdminId, reason = "myself" }))).Code
        );
        using var second = await system.TokenAsync("second@support.example");
        var secondId = await system.IdAsync("second@support.example");
        var both = await Task.WhenAll(RevokeAsync(system.Admin, secondId), RevokeAsync(second, system.AdminId));
        Assert.Equal(1, both.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.Equal(1L, await system.QueryAsync<long>("select count(*) from users where is_admin"));
        // Whoever was removed is nobody now.
        Assert.Equal(
            1,
            (await Task.WhenAll(new[] { system.Admin, second }.Select(async http => (await http.GetAsync("/admin-list-admins")).StatusCode))).Count(status =>
                status == HttpStatusCode.OK
            )
        );
    }

    [Fact]
    public async Task A_members_token_a_banned_admins_and_the_consoles_cookie_are_refused_everywhere()
    {
        var member = await system.NewGuestAsync();
        using var banned = await system.TokenAsync("banned@support.example");
        await system.PostAsync("/admin-ban-user", new { user_id = await system.IdAsync("banned@support.example"), reason = "a test of it" });
        using var cookie = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri(system.Url) };
        cookie.DefaultRequestHeaders.Add("Cookie", $"{ConsoleCookies.Session}=whatever");
        var wrong = new List<string>();
        foreach (var operation in AdminSystem.Operations)
        {
            foreach (var prefix in new[] { "/", "/functions/v1/" })
            {
                foreach (var (who, http) in new[] { ("member", member.Http), ("banned admin", banned), ("cookie", cookie) })
                {
                    using var answer = operation.IsPost
                        ? await http.PostAsJsonAsync(prefix + operation.Name, new { })
                        : await http.GetAsync(prefix + operation.Name);
                    if (answer.StatusCode != HttpStatusCode.Forbidden)
                    {
                        wrong.Add($"{who} {prefix}{operation.Name}: {(int)answer.StatusCode}");
                    }
                }
            }
        }
        // The console's own pages take no tokens at all.
        foreach (var page in new[] { "/admin", "/admin/users", "/admin/jobs", "/admin/sign-in", "/admin/nowhere" })
        {
            foreach (var http in new[] { member.Http, banned, system.Admin })
            {
                using var answer = await http.GetAsync(page);
                if (answer.StatusCode != HttpStatusCode.Forbidden)
                {
                    wrong.Add($"token on {page}: {(int)answer.StatusCode}");
                }
            }
        }
        Assert.Empty(wrong);
        // Nobody at all: 401 on the API, the sign-in page on the console.
        using var nobody = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(system.Url) };
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync("/admin-list-admins")).StatusCode);
        Assert.Equal("/admin/sign-in", (await nobody.GetAsync("/admin/users")).Headers.Location?.AbsolutePath);
    }

    [Fact]
    public async Task Everything_that_support_looks_for_is_found()
    {
        var phone = await system.NewGuestAsync(100);
        var job = (await phone.GenerateAndWatchAsync("Found by its job")).GetProperty("job_id").GetString()!;
        var (transaction, signed) = await new Apple(system.Control).BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        var (token, _) = await new Apple(system.Control).SignInAsync("found " + phone.UserId, "Found.Person@mail.example");
        var joined = await phone.PostAsync("/merge-guest-user", new { id_token = token });
        Assert.True(joined.Status == HttpStatusCode.OK, joined.Text);
        var providerJob = await system.QueryAsync<string>($"select provider_job_id from video_jobs where job_id = '{job}'");
        var trace = await system.QueryAsync<string>($"select substr(trace_parent, 4, 32) from video_jobs where job_id = '{job}'");
        foreach (
            var (q, by) in new[]
            {
                (phone.UserId.ToString(), "user id"),
                ("found.person@mail.example", "e-mail"),
                ("FOUND.PER", ""),
                ("found.person@", "e-mail"),
                (transaction, "transaction id"),
                (job, "job id"),
                (providerJob, "provider job id"),
                (phone.DeviceId, "device id"),
                (phone.DeviceId.ToUpperInvariant(), "device id"),
                (trace, "trace id"),
                ("%@%", ""),
                ("'; drop table users; --", ""),
            }
        )
        {
            var found = await system.GetAsync("/admin-search-users?q=" + Uri.EscapeDataString(q));
            Assert.True(found.Status == HttpStatusCode.OK, found.Text);
            Assert.Equal((by.Length > 0 ? 1 : 0, q), (found["rows"].GetArrayLength(), q));
            Assert.Equal(by.Length > 0 ? by : null, found["found_by"].GetString());
        }
        var user = await system.GetAsync($"/admin-get-user?user_id={phone.UserId}");
        Assert.Equal(transaction, user["purchases"][0].GetProperty("transaction_id").GetString());
        Assert.Matches("^sha256:[0-9a-f]{8}\\.\\.\\.$", user["devices"][0].GetProperty("device_id").GetString());
        Assert.DoesNotContain(phone.DeviceId, user.Text, StringComparison.OrdinalIgnoreCase);
        var stats = await system.GetAsync($"/admin-user-stats?user_id={phone.UserId}");
        Assert.Equal(
            (1, 1, "100.00"),
            (
                stats["stats"].GetProperty("total_jobs").GetInt32(),
                stats["stats"].GetProperty("completed_jobs").GetInt32(),
                stats["stats"].GetProperty("success_rate").GetString()
            )
        );
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", stats["recent_transactions"][0].GetProperty("created_at").GetString());
        Assert.Equal("ERR_4007", (await system.GetAsync($"/admin-user-stats?user_id={Guid.NewGuid()}")).Code);
        var whole = await system.GetAsync($"/admin-get-job?job_id={job}");
        var steps = whole["timeline"].EnumerateArray().Select(step => step.GetProperty("what").GetString()).ToList();
        Assert.Superset(new HashSet<string?> { "job accepted", "ledger", "submission 1", "webhook", "file", "job completed" }, steps.ToHashSet());
        // Pages of the ledger hang together.
        var first = await system.GetAsync($"/admin-list-ledger?user_id={phone.UserId}&limit=2");
        var next = await system.GetAsync($"/admin-list-ledger?user_id={phone.UserId}&limit=100&before={first["next_before"]}");
        Assert.Equal(
            await system.QueryAsync<long>($"select count(*) from quota_log where user_id = '{phone.UserId}'"),
            first["rows"].GetArrayLength() + next["rows"].GetArrayLength()
        );
    }

    [Fact]
    public async Task A_model_is_switched_off_and_the_app_sees_it()
    {
        using var app = system.Anybody();
        const string model = "a0000000-0000-4000-8000-000000000009";
        async Task<bool> IsOfferedAsync() => (await app.GetStringAsync("/get-models")).Contains(model, StringComparison.Ordinal);
        Assert.True(await IsOfferedAsync());
        Assert.Equal(
            HttpStatusCode.OK,
            (
                await system.PostAsync(
                    "/admin-toggle-model",
                    new
                    {
                        model_id = model,
                        is_available = false,
                        reason = "ugly hands",
                    }
                )
            ).Status
        );
        Assert.False(await IsOfferedAsync());
        Assert.Equal(
            HttpStatusCode.OK,
            (
                await system.PostAsync(
                    "/admin-toggle-model",
                    new
                    {
                        model_id = model,
                        is_available = true,
                        reason = "hands are better",
                    }
                )
            ).Status
        );
        Assert.True(await IsOfferedAsync());
        Assert.Equal(
            ["model_disable", "model_enable"],
            await system.RowsAsync($"select action_type from admin_actions where target_model_id = '{model}' order by id")
        );
        // A new price counts from the next press on; what does not fit together is refused.
        Assert.Equal(
            "ERR_4000",
            (
                await system.PostAsync(
                    "/admin-save-model",
                    new
                    {
                        model_id = model,
                        cost_per_generation = 0,
                        reason = "a gift",
                    }
                )
            ).Code
        );
        Assert.Equal(
            "ERR_4000",
            (
                await system.PostAsync(
                    "/admin-save-model",
                    new
                    {
                        model_id = model,
                        required_fields = "none",
                        reason = "no fields",
                    }
                )
            ).Code
        );
        Assert.Equal(
            "ERR_4000",
            (
                await system.PostAsync(
                    "/admin-save-model",
                    new
                    {
                        model_id = model,
                        id = model,
                        reason = "another id",
                    }
                )
            ).Code
        );
        Assert.Equal(
            HttpStatusCode.OK,
            (
                await system.PostAsync(
                    "/admin-save-model",
                    new
                    {
                        model_id = model,
                        credits_per_second = 3,
                        reason = "dearer there",
                    }
                )
            ).Status
        );
        Assert.Equal(3, await system.QueryAsync<int>($"select credits_per_second from models where id = '{model}'"));
        var made = await system.PostAsync(
            "/admin-save-model",
            new
            {
                name = "New one",
                provider = "fal",
                provider_model_id = "fal-ai/new",
                cost_per_generation = 4,
                is_available = true,
                reason = "just out",
            }
        );
        Assert.Contains(made["model_id"].GetString()!, await app.GetStringAsync("/get-models"), StringComparison.Ordinal);
        var theme = await system.PostAsync(
            "/admin-save-theme",
            new
            {
                name = "Rain",
                prompt = "Rain on a tin roof",
                is_available = true,
                default_settings = new { duration = 4 },
                reason = "autumn",
            }
        );
        Assert.Equal(HttpStatusCode.OK, theme.Status);
        Assert.Equal(
            HttpStatusCode.OK,
            (
                await system.PostAsync(
                    "/admin-save-product",
                    new
                    {
                        product_id = "com.example.new",
                        credits = 5,
                        reason = "a small pack",
                    }
                )
            ).Status
        );
        Assert.Equal(
            3L,
            await system.QueryAsync<long>(
                "select count(*) from admin_actions where reason in ('just out', 'autumn', 'a small pack') and action_type in ('model_create', 'theme_create', 'product_create')"
            )
        );
    }

    [Fact]
    public async Task Any_change_that_carries_a_key_is_made_once()
    {
        var key = Guid.NewGuid();
        var body = new
        {
            name = "Pressed twice",
            provider = "fal",
            provider_model_id = "fal-ai/twice",
            cost_per_generation = 4,
            reason = "an impatient finger",
        };
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => system.PostAsync("/admin-save-model", body, key)));
        Assert.All(answers, answer => Assert.Equal((HttpStatusCode.OK, answers[0].Text), (answer.Status, answer.Text)));
        Assert.Equal(["1"], await system.RowsAsync("select count(*) from models where name = 'Pressed twice'"));
        Assert.Equal(["1"], await system.RowsAsync("select count(*) from admin_actions where reason = 'an impatient finger'"));
        Assert.Equal("ERR_4009", (await system.PostAsync("/admin-save-model", body with { name = "Pressed thrice" }, key)).Code);
        // The key is this operation's; and what was refused leaves it free.
        Assert.Equal("ERR_4009", (await system.PostAsync("/admin-save-theme", new { name = "Twice", reason = "an impatient finger" }, key)).Code);
        var other = Guid.NewGuid();
        Assert.Equal("ERR_4000", (await system.PostAsync("/admin-save-model", body with { reason = "no" }, other)).Code);
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-save-model", body with { name = "Pressed once" }, other)).Status);
        // Another admin's key is another key.
        using var colleague = await system.TokenAsync("twice@support.example");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin-save-model")
        {
            Content = JsonContent.Create(body),
            Headers = { { "Idempotency-Key", key.ToString() } },
        };
        Assert.NotEqual(answers[0].Text, (await ApiResponse.ReadAsync(await colleague.SendAsync(request))).Text);
        // Only changes of admins can be reached this way, whatever name is given.
        var session = await system.QueryAsync<Guid>(
            $"select id from sessions where user_id = '{system.AdminId}' and method = 'admin' and revoked_at is null limit 1"
        );
        await using var connection = new Npgsql.NpgsqlConnection(system.Owner);
        await connection.OpenAsync();
        foreach (var name in (string[])["admin-nothing", "check-ledger", "clean-up", "admin-save-model; drop table users", "ADMIN-save-model"])
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await using var command = new Npgsql.NpgsqlCommand(
                $$"""
                set local role authenticated;
                set local request.jwt.claims = '{"sub":"{{system.AdminId}}","role":"authenticated","session_id":"{{session}}"}';
                select call_admin_once(gen_random_uuid(), '{{name}}', '{}')
                """,
                connection,
                transaction
            );
            Assert.Contains(
                "ERR_4007",
                (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => command.ExecuteNonQueryAsync())).MessageText,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task Jobs_are_cancelled_and_retried_and_dead_webhooks_sent_again()
    {
        var phone = await system.NewGuestAsync(100);
        var slow = (await phone.GenerateAsync("Takes for ever [slow 600]"))["job_id"].GetString()!;
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select stage from video_jobs where job_id = '{slow}'"), stage => stage == "submitted");
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-cancel-job", new { job_id = slow, reason = "the user asked" })).Status);
        var end = (await phone.WatchAsync(slow))[^1];
        Assert.Equal("failed", end.GetProperty("status").GetString());
        Assert.Equal(100, await phone.CreditsAsync());
        Assert.Equal("ERR_4012", (await system.PostAsync("/admin-cancel-job", new { job_id = slow, reason = "the user asked" })).Code);

        var failed = (await phone.GenerateAndWatchAsync("Fails the first time [fail]")).GetProperty("job_id").GetString();
        await system.ExecuteAsync($"update video_jobs set prompt = 'Fails the first time' where job_id = '{failed}'");
        var key = Guid.NewGuid();
        var again = await system.PostAsync("/admin-retry-job", new { job_id = failed, reason = "our fault" }, key);
        Assert.Equal(again.Text, (await system.PostAsync("/admin-retry-job", new { job_id = failed, reason = "our fault" }, key)).Text);
        var made = again["job_id"].GetString()!;
        Assert.Equal("completed", (await phone.WatchAsync(made))[^1].GetProperty("status").GetString());
        Assert.Equal(100, await phone.CreditsAsync());
        Assert.Empty(await system.RowsAsync($"select * from quota_log where job_id = '{made}'"));
        Assert.Equal("ERR_4012", (await system.PostAsync("/admin-retry-job", new { job_id = made, reason = "once more" }, Guid.NewGuid())).Code);

        var delivery = await system.QueryAsync<long>($"select id from webhook_deliveries where job_id = '{made}' limit 1");
        await system.ExecuteAsync($"update webhook_deliveries set status = 'failed', processed_at = now(), last_error = 'gave up' where id = {delivery}");
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-resend-delivery", new { delivery_id = delivery, reason = "was an outage" })).Status);
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select status from webhook_deliveries where id = {delivery}"),
            status => status == "processed"
        );
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Every_query_answers_and_every_list_is_bounded()
    {
        foreach (var operation in AdminSystem.Operations.Where(one => !one.IsChange && !one.IsAskedByBody && !one.Fields.Any(field => field.IsRequired)))
        {
            var answer = await system.GetAsync("/" + operation.Name);
            Assert.True(answer.Status == HttpStatusCode.OK, $"{operation.Name}: {answer.Text}");
            if (operation.Fields.Any(field => field.Name == "limit"))
            {
                Assert.Equal("ERR_4000", (await system.GetAsync($"/{operation.Name}?limit=100000")).Code);
            }
        }
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-request-ledger-check", new { reason = "before the audit" })).Status);
        await Eventually.IsAsync(
            () => system.QueryAsync<string>("select coalesce(report ->> 'mismatches', '') from schedules where name = 'ledger_check'"),
            mismatches => mismatches == "0"
        );
    }

    [Fact]
    public async Task On_an_address_of_its_own_the_admin_side_is_nowhere_else()
    {
        // The admin side is distinguished by its port, so that has to be known before.
        using var own = LoopbackAddress.Hold();
        await using var node = system.BuildServer(new() { ["Admin:ListenUrl"] = own.Url });
        await node.StartAsync();
        Assert.Equal(2, node.Urls.Count);
        foreach (var (server, status) in node.Urls.Select(url => (url, url == own.Url ? HttpStatusCode.Unauthorized : HttpStatusCode.NotFound)))
        {
            using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(server) };
            Assert.Equal(status, (await http.GetAsync("/admin-list-admins")).StatusCode);
            Assert.Equal(status == HttpStatusCode.NotFound ? HttpStatusCode.NotFound : HttpStatusCode.OK, (await http.GetAsync("/admin/sign-in")).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/get-models")).StatusCode);
        }
        await node.StopAsync();
    }
}
