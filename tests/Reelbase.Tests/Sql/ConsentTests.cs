using System.Text.Json.Nodes;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>Consents: the newest fifty of each kind, of which those that hold come first; and an export that is a bounded answer, whatever a user has piled up.</summary>
[Quick]
public sealed class ConsentTests(SqlDatabase database)
{
    [Fact]
    public async Task Of_each_kind_a_user_has_fifty_consents_and_the_oldest_go()
    {
        await using var sql = await database.BeginAsync();
        var user = await sql.NewUserAsync();
        await sql.BecomeAsync(user);
        await sql.RunAsync("select record_consent('terms', 'the first', true)");
        await sql.RunAsync("select record_consent('ai_processing', 'v' || n, true) from generate_series(1, 70) n");
        await sql.BecomeOwnerAsync();
        Assert.Equal(["ai_processing|50", "terms|1"], await CountAsync(sql, user));
        Assert.Equal(["v21|v70"], await VersionsAsync(sql, user, "ai_processing"));
    }

    [Fact]
    public async Task Agreeing_and_withdrawing_for_ever_keeps_the_newest_and_what_holds_stays()
    {
        await using var sql = await database.BeginAsync();
        var user = await sql.NewUserAsync();
        await sql.BecomeAsync(user);
        for (var round = 0; round < 60; round++)
        {
            await sql.RunAsync("select record_consent('consumption_data', 'of now', true)");
            await sql.RunAsync("select record_consent('consumption_data', 'of now', false)");
        }
        await sql.RunAsync("select record_consent('consumption_data', 'of now', true)");
        await sql.BecomeOwnerAsync();
        Assert.Equal(["consumption_data|50"], await CountAsync(sql, user));
        Assert.Equal(["1"], await sql.RowsAsync("select count(*) from user_consents where user_id = $1 and withdrawn_at is null", user));
    }

    [Fact]
    public async Task A_merge_adds_no_history_beyond_fifty_and_drops_no_consent_that_holds()
    {
        await using var sql = await database.BeginAsync();
        var guest = await sql.NewUserAsync();
        var member = await sql.NewUserAsync(isGuest: false);
        await sql.RunAsync(
            "insert into user_consents (user_id, kind, version, granted_at, withdrawn_at) select $1, 'terms', 'm' || n, now() - interval '1 day' * n, now() from generate_series(1, 50) n",
            member
        );
        await sql.RunAsync(
            "insert into user_consents (user_id, kind, version, granted_at) values ($1, 'terms', 'old and in force', now() - interval '2 years')",
            guest
        );
        await sql.RunAsync("update user_consents set user_id = $2 where user_id = $1", guest, member);
        Assert.Equal(["terms|50"], await CountAsync(sql, member));
        Assert.Equal(["old and in force"], await sql.RowsAsync("select version from user_consents where user_id = $1 and withdrawn_at is null", member));
    }

    [Fact]
    public async Task Every_list_of_an_export_is_bounded_says_when_it_was_cut_and_goes_on_page_by_page_until_everything_was_said_once()
    {
        await using var sql = await database.BeginAsync();
        var user = await sql.NewUserAsync(100);
        await sql.RunAsync("insert into users (is_guest, merged_into) select true, $1 from generate_series(1, 8)", user);
        for (var count = 0; count < 8; count++)
        {
            await sql.PressAsync(user, $"Video {count}");
        }
        await sql.RunAsync(
            "insert into storage_objects (bucket, name, user_id, size_bytes, content_type, state, stored_at) select 'videos', $1::text || '/' || n, $1, 1, 'video/mp4', 'stored', now() from generate_series(1, 8) n",
            user
        );
        await sql.RunAsync(
            "insert into purchases (environment, transaction_id, user_id, product_id, quantity, credits, purchased_at, signed_at, source) select 'Production', 'export.' || n, $1, (select product_id from products order by 1 limit 1), 1, 5, now(), now(), 'app' from generate_series(1, 8) n",
            user
        );
        await sql.RunAsync("insert into user_consents (user_id, kind, version) select $1, 'terms', 'v' || n from generate_series(1, 8) n", user);
        await sql.RunAsync("insert into device_checks (device_id, user_id) select gen_random_uuid()::text, $1 from generate_series(1, 8)", user);
        await sql.RunAsync(
            "insert into device_keys (key_id, device_hash, user_id, is_joined, public_key, app_id, environment) select sha256(n::text::bytea), 'a device', $1, true, decode(repeat('04', 65), 'hex'), 'an app', 'production' from generate_series(1, 8) n",
            user
        );
        await sql.RunAsync("insert into sessions (user_id) select $1 from generate_series(1, 8)", user);
        await sql.RunAsync(
            "insert into push_tokens (token, user_id, environment, kind) select md5($1::text || n), $1, 'sandbox', 'alert' from generate_series(1, 8) n",
            user
        );
        await sql.RunAsync("insert into error_log (user_id, error_code) select $1, 'ERR_' || n from generate_series(4000, 4007) n", user);

        await sql.BecomeAsync(user);
        var export = JsonNode.Parse(await sql.ValueAsync<string>("select export_user_data(3)::text"))!.AsObject();
        string[] lists =
        [
            "consents",
            "device_keys",
            "devices",
            "errors",
            "files",
            "ledger",
            "merged_accounts",
            "purchases",
            "push_tokens",
            "sessions",
            "videos",
        ];
        Assert.Equal(lists, export.Where(entry => entry.Value is JsonArray).Select(entry => entry.Key).Order());
        foreach (var list in lists)
        {
            // As a phone does: from where the last page ended, until there is no more.
            var pages = new List<JsonArray> { export[list]!.AsArray() };
            for (var next = (string?)export["next"]![list]; next is not null; )
            {
                Assert.Equal(3, pages[^1].Count);
                var page = JsonNode.Parse(await sql.ValueAsync<string>("select export_user_list($1, $2, 3)::text", list, next))!;
                pages.Add(page["rows"]!.AsArray());
                next = (string?)page["next"];
                Assert.True(pages.Count < 10, list);
            }
            var rows = pages.SelectMany(page => page).Select(row => row!.ToJsonString()).ToList();
            // The case has opened sessions to act as the user, and the ledger began with a grant.
            Assert.Equal(
                list is "sessions" ? 17
                    : list is "ledger" ? 9
                    : 8,
                rows.Count
            );
            Assert.Equal(rows.Count, rows.Distinct().Count());
        }
        Assert.Equal("ERR_4000", await sql.RefusalAsync("select export_user_list('no_such_list', null, 3)"));
    }

    private static Task<List<string>> CountAsync(SqlCase sql, Guid user) =>
        sql.RowsAsync("select kind, count(*) from user_consents where user_id = $1 group by 1 order by 1", user);

    private static Task<List<string>> VersionsAsync(SqlCase sql, Guid user, string kind) =>
        sql.RowsAsync(
            "select (array_agg(version order by id))[1], (array_agg(version order by id desc))[1] from user_consents where user_id = $1 and kind = $2",
            user,
            kind
        );
}
