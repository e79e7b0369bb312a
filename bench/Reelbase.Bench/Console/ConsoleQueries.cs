using System.Text.Json;
using System.Text.Json.Nodes;
using Reelbase.Server;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Bench.Console;

/// <summary>One thing that a page of the console asks.</summary>
public sealed record ConsoleQuery(string Page, string Operation, JsonObject Request)
{
    /// <summary>For a table of figures.</summary>
    public string Name => $"{Operation} {Request.ToJsonString()}";
}

/// <summary>Everything that the pages and the search ask, on seeded data.</summary>
public static class ConsoleQueries
{
    /// <summary>The queries; <paramref name="job"/> and <paramref name="trace"/> are of the middle of the data.</summary>
    public static IReadOnlyList<ConsoleQuery> All(int users, string job, string trace)
    {
        var user = ConsoleSeed.UserId(users / 2);
        return
        [
            new("overview", "admin-overview", new() { ["hours"] = 24 }),
            new("overview", "admin-overview", new() { ["hours"] = 8760 }),
            new("users", "admin-search-users", []),
            new("users", "admin-search-users", new() { ["before"] = user }),
            new("search", "admin-search-users", new() { ["q"] = user }),
            new("search", "admin-search-users", new() { ["q"] = $"person{users / 2 / 3 * 3}@mail.example" }),
            new("search", "admin-search-users", new() { ["q"] = "person99@" }),
            new("search", "admin-search-users", new() { ["q"] = $"T{users / 2}" }),
            new("search", "admin-search-users", new() { ["q"] = job }),
            new("search", "admin-search-users", new() { ["q"] = $"p-{users / 2}-3" }),
            new("search", "admin-search-users", new() { ["q"] = trace }),
            new("search", "admin-search-users", new() { ["q"] = "nobody at all" }),
            new("user", "admin-get-user", new() { ["user_id"] = user }),
            new("user", "admin-user-stats", new() { ["user_id"] = user }),
            new("user", "admin-list-ledger", new() { ["user_id"] = user }),
            new("user", "admin-list-jobs", new() { ["user_id"] = user }),
            new("jobs", "admin-list-jobs", []),
            new("jobs", "admin-list-jobs", new() { ["before"] = job }),
            new("jobs", "admin-list-jobs", new() { ["status"] = "failed" }),
            new("jobs", "admin-list-jobs", new() { ["status"] = "open" }),
            new("jobs", "admin-list-jobs", new() { ["provider"] = "pika" }),
            new("jobs", "admin-list-jobs", new() { ["error_code"] = "ERR_5002" }),
            new("jobs", "admin-list-jobs", new() { ["error_code"] = "ERR_5999" }),
            new("jobs", "admin-list-jobs", new() { ["status"] = "failed", ["provider"] = "pika" }),
            new("job", "admin-get-job", new() { ["job_id"] = job }),
            new("approvals", "admin-list-approvals", new() { ["status"] = "pending" }),
            new("models", "admin-list-models", []),
            new("models", "admin-list-themes", []),
            new("products", "admin-list-products", []),
            new("products", "admin-list-purchases", []),
            new("products", "admin-list-purchases", new() { ["environment"] = "Sandbox" }),
            new("products", "admin-list-purchases", new() { ["state"] = "unowned" }),
            new("products", "admin-list-purchases", new() { ["state"] = "waiting" }),
            new("products", "admin-list-purchases", new() { ["before"] = $"T{users / 2}" }),
            new("webhooks", "admin-list-deliveries", []),
            new("webhooks", "admin-list-deliveries", new() { ["status"] = "failed" }),
            new("webhooks", "admin-list-deliveries", new() { ["inbox"] = "app_store" }),
            new("webhooks", "admin-list-outbox", []),
            new("reports", "admin-list-reports", []),
            new("errors", "admin-group-errors", new() { ["hours"] = 24 }),
            new("errors", "admin-group-errors", new() { ["hours"] = 720 }),
            new("errors", "admin-list-errors", []),
            new("errors", "admin-list-errors", new() { ["error_code"] = "ERR_4004" }),
            new("errors", "admin-get-trace", new() { ["id"] = trace }),
            new("audit", "admin-list-actions", []),
            new("audit", "admin-list-actions", new() { ["target_user_id"] = user }),
            new("audit", "admin-list-actions", new() { ["admin_user_id"] = user }),
            new("system", "admin-system", []),
            new("system", "admin-list-admins", []),
        ];
    }

    /// <summary>The seeded admin, as the database sees one; makes the session that the claims name.</summary>
    public static Caller Admin(Guid session) =>
        new(
            "authenticated",
            Guid.Parse(ConsoleSeed.UserId(1)),
            JsonSerializer.Serialize(
                new
                {
                    sub = ConsoleSeed.UserId(1),
                    role = "authenticated",
                    session_id = session,
                }
            )
        );

    /// <summary>Asks as the API asks: the caller's role, one transaction, one round trip.</summary>
    public static Task<List<string>> AskAsync(ApiDatabase database, Caller admin, ConsoleQuery query) =>
        database.ListAsync<string>(
            admin,
            $"select {new AdminOperations(Modules.All).Find(query.Operation).Function}($1::jsonb)::text",
            CancellationToken.None,
            query.Request.ToJsonString()
        );
}
