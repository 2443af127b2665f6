# Koki's server, for a machine without a GPU: docker build -t koki .
FROM python:3.12-slim AS build
WORKDIR /koki
RUN python -m venv /venv
# the build of torch without CUDA is gigabytes smaller
RUN /venv/bin/pip install --no-cache-dir torch --index-url https://download.pytorch.org/whl/cpu
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /venv/bin/pip install --no-cache-dir '.[serve]'

FROM python:3.12-slim
# llama.cpp adds up in several threads
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 koki
COPY --from=build /venv /venv
USER koki
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=120s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=5)"]
ENTRYPOINT ["koki", "serve", "--host", "0.0.0.0"]
CMD ["/runs/warung"]
