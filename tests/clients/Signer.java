// SPDX-License-Identifier: BSD-2-Clause
// java Signer.java CONFIG ALIAS ALGORITHM TEXT CERTIFICATE [THREADS]: signs the file TEXT with the key
// ALIAS of the token that CONFIG names, in several threads at once, verifies with the JDK's own provider
// and leaves TEXT.sig and CERTIFICATE. The PIN comes on standard input.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class Signer {
	static byte[] sign(Provider token, PrivateKey key, String algorithm, byte[] text) throws Exception {
		Signature signature = Signature.getInstance(algorithm, token);
		signature.initSign(key);
		signature.update(text);
		return signature.sign();
	}

	static void verify(Certificate certificate, String algorithm, byte[] text, byte[] signed) throws Exception {
		Signature signature = Signature.getInstance(algorithm);
		signature.initVerify(certificate.getPublicKey());
		signature.update(text);
		if (!signature.verify(signed))
			throw new Exception("a signature is wrong");
	}

	public static void main(String[] args) throws Exception {
		char[] pin = new BufferedReader(new InputStreamReader(System.in)).readLine().toCharArray();
		Provider token = Security.getProvider("SunPKCS11").configure(args[0]);
		KeyStore store = KeyStore.getInstance("PKCS11", token);
		store.load(null, pin);
		PrivateKey key = (PrivateKey) store.getKey(args[1], null);
		Certificate certificate = store.getCertificate(args[1]);
		byte[] text = Files.readAllBytes(Path.of(args[3]));
		int threads = args.length > 5 ? Integer.parseInt(args[5]) : 1;
		ExecutorService pool = Executors.newFixedThreadPool(threads);
		List<Future<byte[]>> results = new ArrayList<>();

		for (int i = 0; i < threads * 8; i++)
			results.add(pool.submit((Callable<byte[]>) () -> sign(token, key, args[2], text)));
		for (Future<byte[]> result : results)
			verify(certificate, args[2], text, result.get());
		pool.shutdown();
		Files.write(Path.of(args[3] + ".sig"), results.get(0).get());
		Files.write(Path.of(args[4]), certificate.getEncoded());
	}
}
