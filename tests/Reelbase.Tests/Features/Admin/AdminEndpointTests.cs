using System.Net;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What makes somebody an admin: a session made by admin sign-in, of a row that the command line made. A flag alone does not.</summary>
public sealed class AdminEndpointTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    [Fact]
    public async Task Whom_support_looks_for_travels_in_a_body_and_an_address_that_names_somebody_hears_so()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set email = 'searched.for@example.com' where id = '{phone.UserId}'");
        var found = await system.PostAsync("/admin-find-users", new { q = "searched.for@example.com" });
        Assert.Equal(phone.UserId, found["rows"][0].GetProperty("id").GetGuid());
        Assert.False(found.Raw.Headers.Contains("Deprecation"));
        Assert.Equal("ERR_4000", (await system.PostAsync("/admin-find-users", new { })).Code);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await system.GetAsync("/admin-find-users?q=searched.for@example.com")).Status);
        // As before, until the next release; and it says where to go.
        var before = await system.GetAsync("/admin-search-users?q=searched.for@example.com");
        Assert.Equal(found.Text, before.Text);
        Assert.StartsWith("@", before.Raw.Headers.GetValues("Deprecation").Single(), StringComparison.Ordinal);
        Assert.Contains("admin-find-users", before.Raw.Headers.GetValues("Link").Single(), StringComparison.Ordinal);
        Assert.False((await system.GetAsync("/admin-search-users")).Raw.Headers.Contains("Deprecation"));
    }

    [Fact]
    public async Task A_guests_session_of_a_row_with_the_flag_is_refused_at_every_operation()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set is_admin = true where id = '{phone.UserId}'");
        var wrong = new List<string>();
        foreach (var operation in AdminSystem.Operations)
        {
            var path = "/" + operation.Name;
            var answer = operation.IsPost ? await phone.PostAsync(path, new { reason = "because I can" }) : await phone.GetAsync(path);
            if ((answer.Status, answer.Code) != (HttpStatusCode.Forbidden, "ERR_4006"))
            {
                wrong.Add($"{path}: {answer.Text}");
            }
        }
        Assert.Empty(wrong);
        Assert.Equal("not_an_admin_session", (await phone.GetAsync("/admin-list-admins"))["error"].GetProperty("details").GetProperty("reason").GetString());
        // The record of admins is read through a policy, which asks for the same.
        await system.PostAsync("/admin-ban-user", new { user_id = (await system.NewGuestAsync()).UserId, reason = "leaves a record" });
        var session = await system.QueryAsync<Guid>($"select id from sessions where user_id = '{phone.UserId}' and method <> 'admin'");
        Assert.Equal(0L, await ActionsSeenAsync(phone.UserId, session));
        var own = await system.QueryAsync<Guid>(
            $"select id from sessions where user_id = '{system.AdminId}' and method = 'admin' and revoked_at is null limit 1"
        );
        Assert.NotEqual(0L, await ActionsSeenAsync(system.AdminId, own));
        await system.ExecuteAsync($"update users set is_admin = false where id = '{phone.UserId}'");
    }

    [Fact]
    public async Task No_endpoint_of_the_app_opens_an_admins_session()
    {
        var phone = await system.NewGuestAsync();
        await using var connection = new NpgsqlConnection(system.Strings.Api);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            $"select * from start_session('{phone.UserId}', gen_random_uuid(), 'admin', '\\x00'::bytea, 50)",
            connection
        );
        await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_command_line_takes_over_no_row_that_it_did_not_make(bool isFlagged)
    {
        var email = $"member-{isFlagged}@Example.com";
        await system.ExecuteAsync($"insert into users (email, is_guest, is_admin, apple_sub) values ('{email}', false, {isFlagged}, 'apple {isFlagged}')");
        var (code, output) = await RunAsync("create", email.ToUpperInvariant());
        Assert.NotEqual(0, code);
        Assert.Contains("another e-mail", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Password:", output, StringComparison.Ordinal);
        Assert.Equal(["0"], await system.RowsAsync($"select count(*) from admin_credentials c join users u on u.id = c.user_id where u.email ilike '{email}'"));
        Assert.Equal(["1"], await system.RowsAsync($"select count(*) from users where email ilike '{email}'"));
        // A flag gives no token either.
        Assert.NotEqual(0, (await RunAsync("token", email)).Code);
        await system.ExecuteAsync($"update users set is_admin = false where email = '{email}'");
    }

    [Fact]
    public async Task Whom_the_command_line_made_gets_new_credentials_and_comes_back_after_being_revoked()
    {
        const string email = "again@support.example";
        Assert.Equal(0, (await RunAsync("create", email)).Code);
        var id = await system.IdAsync(email);
        Assert.Equal(0, (await RunAsync("create", email)).Code);
        Assert.Equal(0, (await RunAsync("revoke", email)).Code);
        Assert.Equal(0, (await RunAsync("create", email)).Code);
        Assert.Equal(id, await system.IdAsync(email));
        Assert.Equal(
            ["admin_create", "admin_reset", "admin_revoke", "admin_create"],
            await system.RowsAsync($"select action_type from admin_actions where target_user_id = '{id}' order by id")
        );
        Assert.Equal(0, (await RunAsync("token", email)).Code);
        Assert.Equal(0, (await RunAsync("revoke", email)).Code);
    }

    private Task<(int Code, string Output)> RunAsync(string verb, string email) =>
        ServerProcess.RunAsync(
            new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = system.DataDirectory },
            "admin",
            verb,
            "--email",
            email,
            "--database",
            system.Owner
        );

    private async Task<long> ActionsSeenAsync(Guid user, Guid session)
    {
        await using var connection = new NpgsqlConnection(system.Strings.Api);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(
            $$"""
            set local role authenticated;
            set local request.jwt.claims = '{"sub":"{{user}}","role":"authenticated","session_id":"{{session}}"}';
            select count(*) from admin_actions
            """,
            connection,
            transaction
        );
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
