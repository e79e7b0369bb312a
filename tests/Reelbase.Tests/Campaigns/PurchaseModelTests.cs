using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Simulators.AppStore;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>
/// Purchases by the hundred, each heard of from the app, from notifications and from the comparison with Apple's store, in every order and at once, while
/// they are refunded in part, wholly and not after all, and while their buyers spend. The model: whatever was heard, in the end the ledger says what Apple's last word says.
/// </summary>
[Campaign]
[Collection(NonParallelCollection.Name)]
public sealed class PurchaseModelTests(PurchaseModelTests.Shop shop) : IClassFixture<PurchaseModelTests.Shop>
{
    private static readonly int Sequences = Campaign.Share(150, 5000);
    private const int PackCredits = 25;

    public sealed class Shop : TestSystem
    {
        // What is spent stays spent: the jobs wait in the queue until the test is over.
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Generation:QueueDeadlineSeconds"] = "3600",
                ["Generation:SubmissionDeadlineSeconds"] = "3600",
                ["Fal:Concurrency"] = "1",
            };
    }

    [Fact]
    public async Task Every_sequence_ends_as_the_model_says()
    {
        var members = await Crowd.MakeAsync(shop, Sequences, 5);
        var store = shop.Simulators.Services.GetRequiredService<AppStoreState>();
        var sales = new ConcurrentDictionary<Guid, (Sale Sale, int Spent)>();
        using var http = shop.Anybody();
        using var stop = new CancellationTokenSource();
        var comparing = CompareAgainAndAgainAsync(stop.Token);

        await Crowd.EachAsync(
            members.Select((member, index) => (member, index)),
            async entry =>
            {
                var random = new Random(Campaign.Seed + entry.index);
                sales[entry.member.UserId] = await PlayAsync(http, entry.member, store, random);
            }
        );
        await stop.CancelAsync();
        await comparing;
        await Eventually.IsAsync(
            () => shop.QueryAsync<long>("select count(*) from webhook_deliveries where inbox = 'app_store' and status = 'pending'"),
            rows => rows == 0
        );
        await CompareAsync();

        var rows = (
            await shop.RowsAsync(
                """
                select u.id, u.credits_remaining, coalesce(sum(q.change) filter (where q.reason = 'iap_purchase'), 0),
                  count(*) filter (where q.reason = 'iap_purchase'), coalesce(sum(q.change) filter (where q.reason in ('apple_refund', 'apple_refund_reversed')), 0)
                from users u join quota_log q on q.user_id = u.id group by u.id
                """
            )
        ).Select(row => row.Split('|')).ToDictionary(row => Guid.Parse(row[0]), row => Array.ConvertAll(row[1..], int.Parse));
        var wrong = new List<string>();
        foreach (var (userId, (sale, spent)) in sales)
        {
            var credits = PackCredits * sale.Quantity;
            var kept = credits - credits * sale.RevocationPercentage / 100_000;
            var found = rows[userId];
            if (found[0] != 5 + kept - spent || found[1] + found[3] != kept || found[2] > 1 || (kept > 0 && found[2] != 1))
            {
                wrong.Add($"{sale.TransactionId}: expected to keep {kept} and spent {spent}, found {string.Join(' ', found)}");
            }
        }
        Assert.True(wrong.Count == 0, $"{Campaign.Repeat}\n" + string.Join('\n', wrong.Take(10)));
        Assert.Empty(
            await shop.RowsAsync(
                """
                select p.transaction_id from purchases p
                where p.credits_taken_back <> -coalesce((select sum(q.change) from quota_log q
                    where q.transaction_id like p.transaction_id || ':%'), 0)
                  or p.refunds <> (select count(*) from quota_log q where q.transaction_id like p.transaction_id || ':refund:%')
                  or p.reversals <> (select count(*) from quota_log q where q.transaction_id like p.transaction_id || ':reversal:%')
                """
            )
        );
        await shop.AssertLedgerAsync();
    }

    /// <summary>One purchase's life: what happens at Apple gives words, and the words are carried to us at random, old ones after new ones and several at once.</summary>
    private static async Task<(Sale Sale, int Spent)> PlayAsync(HttpClient http, Crowd.Member member, AppStoreState store, Random random)
    {
        var sale = store.Sell("com.rendioai.credits.starter.25", random.Next(1, 4), "Production", member.UserId, null);
        var words = new List<string> { store.Sign(sale) };
        var spent = 0;
        for (var step = random.Next(2, 8); step > 0; step--)
        {
            var acts = new List<Task<int>>();
            for (var at = random.Next(1, 4); at > 0; at--)
            {
                switch (random.Next(7))
                {
                    case 0 when sale.RevocationDate is null || sale.RevocationPercentage < 100_000:
                        sale.RevocationDate = store.NextDate();
                        sale.RevocationPercentage = random.Next(2) == 0 ? 100_000 : random.Next(sale.RevocationPercentage / 1000, 100) * 1000;
                        sale.Modified = store.NextDate();
                        words.Add(store.Sign(sale));
                        break;
                    case 1 when sale.RevocationDate is not null:
                        sale.RevocationDate = null;
                        sale.RevocationPercentage = 0;
                        sale.Modified = store.NextDate();
                        words.Add(store.Sign(sale));
                        break;
                    case 2:
                        acts.Add(SpendAsync(http, member, random));
                        break;
                    case 3 or 4:
                        acts.Add(NotifyAsync(http, store, words[random.Next(words.Count)]));
                        break;
                    default:
                        acts.Add(ReportAsync(http, member, words[random.Next(words.Count)]));
                        break;
                }
            }
            foreach (var cost in await Task.WhenAll(acts))
            {
                spent += cost;
            }
        }
        // Sooner or later everybody hears Apple's last word, from whoever comes first.
        await Task.WhenAll(ReportAsync(http, member, store.Sign(sale)), NotifyAsync(http, store, store.Sign(sale)), NotifyAsync(http, store, words[0]));
        return (sale, spent);
    }

    private static async Task<int> ReportAsync(HttpClient http, Crowd.Member member, string signed)
    {
        using var request = As(member, "/update-credits", JsonSerializer.Serialize(new { signed_transaction = signed }));
        using var answer = await http.SendAsync(request);
        // 400: refunded before it was ever credited.
        Assert.True((int)answer.StatusCode is 200 or 400, $"{answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return 0;
    }

    private static async Task<int> NotifyAsync(HttpClient http, AppStoreState store, string signedTransaction)
    {
        using var answer = await http.PostAsJsonAsync(
            "/apple-server-notifications",
            new { signedPayload = store.SignNotification("REFUND", "Production", signedTransaction) }
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return 0;
    }

    private static async Task<int> SpendAsync(HttpClient http, Crowd.Member member, Random random)
    {
        using var request = As(
            member,
            "/generate-video",
            $$"""{"model_id":"{{Catalog.FastModel}}","prompt":"Spending [slow 600]","settings":{"duration":{{random.Next(4, 9)}} } }"""
        );
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        if ((int)answer.StatusCode == 402)
        {
            return 0;
        }
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("credits_used").GetInt32();
    }

    private static HttpRequestMessage As(Crowd.Member member, string path, string json) =>
        new(HttpMethod.Post, path)
        {
            Content = new StringContent(json, Encoding.UTF8, "application/json"),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", member.Token) },
        };

    /// <summary>Asks for a comparison with Apple's store and waits for its end.</summary>
    private async Task CompareAsync()
    {
        var before = await shop.QueryAsync<string>("select coalesce(max(finished_at)::text, '') from reconciliations where environment = 'Production'");
        await shop.ExecuteAsync("select request_reconciliation()");
        await Eventually.IsAsync(
            () => shop.QueryAsync<string>("select coalesce(max(finished_at)::text, '') from reconciliations where environment = 'Production'"),
            after => after.Length > 0 && after != before,
            90
        );
    }

    private async Task CompareAgainAndAgainAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await shop.ExecuteAsync("select request_reconciliation()");
            await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(8), stop));
        }
    }
}
