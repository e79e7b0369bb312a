using System.Collections.Concurrent;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>Every admin operation with generated input, good and bad, by somebody who may: nothing is a 500, and each deed that was done has its record.</summary>
[Campaign]
public sealed class GeneratedAdminRequestTests(GeneratedRequestTests.Installation system) : IClassFixture<GeneratedRequestTests.Installation>
{
    private static readonly int Requests = Campaign.Share(2000, 30_000);

    [Fact]
    public async Task Every_request_of_an_admin_gets_an_answer_that_the_document_names()
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(system.Url) };
        var document = await http.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        var schemas = new Schemas(document);
        var names = AdminSystem.Operations.Select(operation => "/" + operation.Name).ToHashSet();
        var operations = (
            from path in document.GetProperty("paths").EnumerateObject()
            where names.Contains(path.Name)
            from operation in path.Value.EnumerateObject()
            select (Path: path.Name, Method: operation.Name.ToUpperInvariant(), Definition: operation.Value)
        ).ToList();
        Assert.Equal(names.Count, operations.Count);
        var members = await Crowd.MakeAsync(system, 20, 1000);
        var admin = members[0];
        await system.ExecuteAsync(
            $"update users set is_admin = true where id = '{admin.UserId}'; update sessions set method = 'admin' where user_id = '{admin.UserId}'"
        );
        var job = await GeneratedRequestTests.JobAsync(http, members[1]);
        var wrong = new ConcurrentQueue<string>();
        var seen = new ConcurrentDictionary<string, int>();
        await Crowd.EachAsync(
            Enumerable.Range(0, Requests),
            async number =>
            {
                var random = new Random(Campaign.Seed + number);
                var (path, method, definition) = operations[number % operations.Count];
                var accept = GeneratedRequestTests.AcceptedLanguages[random.Next(GeneratedRequestTests.AcceptedLanguages.Length)];
                using var request = GeneratedRequestTests.Generate(random, path, method, definition, members[1..], job, accept.Header, admin.Token);
                var sent = $"{number}: {method} {request.RequestUri} {(request.Content is null ? "" : await request.Content.ReadAsStringAsync())}";
                using var answer = await http.SendAsync(request);
                var text = await answer.Content.ReadAsStringAsync();
                seen.AddOrUpdate($"{(int)answer.StatusCode}", 1, (_, count) => count + 1);
                foreach (var fault in GeneratedRequestTests.Judge(answer, text, definition, schemas, accept.Language))
                {
                    wrong.Enqueue($"{sent[..Math.Min(600, sent.Length)]} -> {(int)answer.StatusCode} {fault}: {text[..Math.Min(300, text.Length)]}");
                }
            }
        );
        Assert.True(wrong.IsEmpty, $"{Campaign.Repeat}, {wrong.Count} wrong\n" + string.Join('\n', wrong.Take(15)));
        Assert.True(seen.GetValueOrDefault("200") > Requests / 10 && seen.GetValueOrDefault("400") > Requests / 30, string.Join(' ', seen));
        Assert.False(seen.ContainsKey("401"), "the admin was lost on the way");
        await system.AssertLedgerAsync();
        // Each row of the ledger that an admin made has its record, with the same amount.
        Assert.Equal(
            ["0"],
            await system.RowsAsync(
                """
                select coalesce((select sum(change) from quota_log where reason in ('admin_refund', 'admin_adjustment') and user_id in (select target_user_id from admin_actions)
                    and created_at >= (select min(created_at) from admin_actions)), 0)
                  - coalesce((select sum(amount) from admin_actions where action_type in ('credit_refund', 'credit_adjustment', 'job_retry')), 0)
                """
            )
        );
    }
}
