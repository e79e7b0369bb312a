using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>Thousands of queries to tables, good, bad and hostile: none is a fault of ours, none shows a row or column of somebody else, none changes what is not the caller's.</summary>
[Campaign]
public sealed class GeneratedRestQueryTests(GeneratedRestQueryTests.Tables tables) : IClassFixture<GeneratedRestQueryTests.Tables>
{
    private static readonly int Queries = Campaign.Share(1000, 10_000);

    /// <summary>Jobs, money and settings of several users, with marks in what nobody may see.</summary>
    public sealed class Tables : TestSystem
    {
        public const string Mark = "hidden-mark";

        public List<Crowd.Member> Members { get; private set; } = [];

        protected override Dictionary<string, string?> Settings => new() { ["Supabase:StatementTimeoutSeconds"] = "3", ["Fal:Concurrency"] = "1" };

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            Members = await Crowd.MakeAsync(this, 6, 100);
            foreach (var member in Members)
            {
                await ExecuteAsync(
                    $"""
                    insert into video_jobs (job_id, user_id, model_id, prompt, status, stage, credits_used, provider_job_id, error_message, model_name, video_url, completed_at)
                    select gen_random_uuid(), '{member.UserId}', '{Catalog.FastModel}', 'prompt of {member.UserId}', 'completed', 'finished', 0, '{Mark}', '{Mark}', 'a model', 'key-of-{member.UserId}/' || n || '.mp4', now()
                    from generate_series(1, 3) n
                    """
                );
            }
        }
    }

    [Fact]
    public async Task No_query_is_a_fault_of_ours_and_none_crosses_a_border()
    {
        var key = tables.Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey();
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(tables.Url), Timeout = Patience.Span };
        var wrong = new ConcurrentQueue<string>();
        var seen = new ConcurrentDictionary<int, int>();
        // Nobody signs in as the last of them: whatever changes of theirs, somebody else has changed.
        var bystander = tables.Members[^1];
        var before = await StateAsync(bystander.UserId);
        await Crowd.EachAsync(
            Enumerable.Range(0, Queries),
            async number =>
            {
                var random = new Random(unchecked(Campaign.Seed + number));
                var caller = random.Next(5) == 0 ? null : tables.Members[random.Next(tables.Members.Count - 1)];
                var query = GeneratedRestQuery.Next(random, caller?.UserId ?? Guid.NewGuid(), bystander.UserId);
                using var request = new HttpRequestMessage(new HttpMethod(query.Method), "/rest/v1/" + query.PathAndQuery);
                request.Headers.Add("apikey", key);
                request.Headers.Add("Authorization", "Bearer " + (caller?.Token ?? key));
                foreach (var (name, value) in query.Headers)
                {
                    request.Headers.TryAddWithoutValidation(name, value);
                }
                if (query.Body is not null)
                {
                    request.Content = new StringContent(query.Body, Encoding.UTF8, "application/json");
                }
                using var answer = await http.SendAsync(request);
                var text = await answer.Content.ReadAsStringAsync();
                seen.AddOrUpdate((int)answer.StatusCode, 1, (_, count) => count + 1);
                foreach (var fault in Judge(answer, text, caller))
                {
                    wrong.Enqueue(
                        $"{number}: {query.Method} {query.PathAndQuery} {query.Body} {string.Join(' ', query.Headers)} -> {(int)answer.StatusCode} {fault}: {text[..Math.Min(300, text.Length)]}"
                    );
                }
            }
        );
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Campaign.Repeat}: " + string.Join(", ", seen.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} × {pair.Value}"))
        );
        Assert.True(wrong.IsEmpty, $"{Campaign.Repeat}, {wrong.Count} wrong\n" + string.Join('\n', wrong.Take(15)));
        Assert.True(seen.GetValueOrDefault(200) > Queries / 10 && seen.GetValueOrDefault(400) > Queries / 20, string.Join(' ', seen));
        Assert.Equal(before, await StateAsync(bystander.UserId));
        await tables.AssertLedgerAsync();
        Assert.Equal(0, await tables.QueryAsync<long>("select count(*) from users where is_admin or tier <> 'free' or credits_remaining <> 100"));
    }

    private IEnumerable<string> Judge(HttpResponseMessage answer, string text, Crowd.Member? caller)
    {
        var status = (int)answer.StatusCode;
        if (status >= 500 && status != 504)
        {
            yield return "is a fault of ours";
        }
        if (text.Contains(Tables.Mark, StringComparison.Ordinal))
        {
            yield return "shows a hidden column";
        }
        foreach (var other in tables.Members.Where(member => member.UserId != caller?.UserId))
        {
            if (text.Contains($"prompt of {other.UserId}", StringComparison.Ordinal) || text.Contains($"key-of-{other.UserId}", StringComparison.Ordinal))
            {
                yield return "shows somebody else's row";
            }
        }
        if (
            caller is not null
            && text.Replace($"/storage/v1/object/sign/videos/key-of-{caller.UserId}", "", StringComparison.Ordinal)
                .Contains("key-of-", StringComparison.Ordinal)
        )
        {
            yield return "shows the key of a file";
        }
        if (status >= 400 && answer.RequestMessage!.Method != HttpMethod.Head)
        {
            var error = Parse(text);
            if (error is not { ValueKind: JsonValueKind.Object } body || !body.TryGetProperty("message", out _) || !body.TryGetProperty("code", out _))
            {
                yield return "is no error of this endpoint";
            }
        }
    }

    private static JsonElement? Parse(string text)
    {
        try
        {
            return JsonDocument.Parse(text).RootElement;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<string> StateAsync(Guid user) =>
        string.Join(
            '\n',
            await tables.RowsAsync(
                $"select u::text from users u where id = '{user}' union all select j::text from video_jobs j where user_id = '{user}' order by 1"
            )
        );
}
